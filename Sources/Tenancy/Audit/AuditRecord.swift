import Cryptography
import FoundationEssentials
package import Platform

/// An event as it is stored: personal part sealed, commitment made.
///
/// What the spill file holds, too.
struct AuditRecord: Sendable, Hashable {
  let id: ID<AuditEvent>
  let occurredAt: Date
  let action: String
  let outcome: String
  let actorKind: String
  let actorID: String?
  let subject: UserID?
  let requestID: String?
  let detail: JSONObject
  let personal: [UInt8]?
  let commitment: [UInt8]
  let commitmentKey: [UInt8]
}

extension AuditRecord {
  static let commitmentKeyByteCount = 32

  init(_ event: AuditEvent, tenant: Tenant, clock: WallClock, random: RandomSource) {
    let id = ID<AuditEvent>.generate(clock, random)
    let part = event.personalPart(tenant.settings)
    let commitmentKey = random.bytes(Self.commitmentKeyByteCount)
    self.init(
      id: id, occurredAt: clock.now(), action: event.action.name, outcome: event.outcome.rawValue,
      actorKind: event.origin.actor.kind, actorID: event.origin.actor.id,
      subject: event.subject?.id, requestID: event.origin.requestID, detail: event.detail,
      personal: part.flatMap { event.subject?.key?.seal($0, at: .auditPersonal(id)) },
      commitment: AuditCommitment.make(
        personal: part, subject: event.subject?.id, key: commitmentKey),
      commitmentKey: commitmentKey)
  }
}

/// The keyed commitment of what an erasure takes away (design section 6): it proves what an event
/// said while the key is there, and nothing once the key is gone.
package enum AuditCommitment {
  /// HMAC-SHA-256 over `{"personal":…,"subject":…}` in canonical form; absent parts are null.
  package static func make(personal: JSONObject?, subject: UserID?, key: [UInt8]) -> [UInt8] {
    let document: JSON = [
      "personal": personal.map(JSON.object) ?? .null,
      "subject": subject.map { .string($0.description) } ?? .null,
    ]
    return HMACKey(key).sha256(CanonicalJSON.encode(document))
  }
}

/// JSON with one spelling: members sorted by their UTF-16 code units, no blanks (RFC 8785 section
/// 3.2).
///
/// Ours hold strings, whole numbers, booleans and null only, so number formatting does not come up.
package enum CanonicalJSON {
  package static func encode(_ value: JSON) -> [UInt8] { sorted(value).encoded() }

  private static func sorted(_ value: JSON) -> JSON {
    switch value {
    case .array(let elements): .array(elements.map(sorted))
    case .object(let object):
      .object(
        JSONObject(
          object.map { ($0.name, sorted($0.value)) }
            .sorted { $0.0.utf16.lexicographicallyPrecedes($1.0.utf16) }))
    case .null, .bool, .integer, .number, .string: value
    }
  }
}
