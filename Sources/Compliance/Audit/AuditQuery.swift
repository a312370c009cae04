package import Database
package import FoundationEssentials
package import Platform
package import Tenancy

/// Reads the audit trail of a tenant, and opens what is sealed while its subject's key exists.
package struct AuditQuery: Sendable {
  let database: Database

  package init(database: Database) {
    self.database = database
  }

  /// A page of events, newest first; `before` is the last number of the page before.
  package func events(
    _ filter: AuditFilter, before: Int?, limit: Int, in tenant: Tenant
  ) async throws -> [AuditEntry] {
    let rows = try await database.all(
      ListAuditEvents(
        action: filter.action, subject: filter.subject, before: before ?? .max, limit: limit),
      in: tenant.schema)
    var keys: [UserID: SubjectKey] = [:]
    return try rows.map { row in
      guard let sealed = row.personal, let subject = row.entry.subject, let wrapped = row.subjectKey
      else { return row.entry }
      let key = try keys[subject] ?? tenant.key.unwrap(wrapped, user: subject)
      keys[subject] = key
      let place = SealedPlace(
        table: "audit_event", column: "personal", row: row.entry.id.description)
      return row.entry.with(personal: try key.open(sealed, at: place))
    }
  }
}

/// What a list of events is restricted to; nil means any.
package struct AuditFilter: Hashable, Sendable {
  package var action: String?
  package var subject: UserID?

  package init(action: String?, subject: UserID?) {
    self.action = action
    self.subject = subject
  }
}

/// An event as it is shown.
package struct AuditEntry: Hashable, Sendable {
  package let seq: Int
  package let id: ID<AuditEvent>
  package let time: Date
  package let action: String
  package let outcome: String
  package let actorKind: String
  package let actorID: String?
  package let subject: UserID?
  package let requestID: String?
  package let detail: JSON
  /// Nil once the subject is erased, or when there never was one.
  package let personal: JSONObject?

  func with(personal: JSONObject) -> AuditEntry {
    AuditEntry(
      seq: seq, id: id, time: time, action: action, outcome: outcome, actorKind: actorKind,
      actorID: actorID, subject: subject, requestID: requestID, detail: detail,
      personal: personal)
  }
}

struct SealedAuditEntry: Sendable {
  let entry: AuditEntry
  let personal: [UInt8]?
  let subjectKey: [UInt8]?
}
