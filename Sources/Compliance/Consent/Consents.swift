package import Database
import FoundationEssentials
package import Platform
package import Tenancy
import Cryptography

/// What people agreed to: purposes, the notices they saw, and append-only events (GDPR Article 7).
package struct Consents: Sendable {
  let database: Database
  let audit: AuditRecorder
  let clock: WallClock
  let random: RandomSource

  package init(
    database: Database, audit: AuditRecorder, clock: WallClock, random: RandomSource
  ) {
    self.database = database
    self.audit = audit
    self.clock = clock
    self.random = random
  }

  // MARK: Purposes

  /// Adds a purpose, or changes it: other texts are a new version of the notice, the same ones are not.
  ///
  /// Works in a transaction of the tenant and of the platform alike.
  @discardableResult
  package func define(
    _ purpose: PurposeDefinition, in tx: Transaction, tenant: Tenant, origin: AuditOrigin
  ) async throws -> ConsentPurpose {
    let now = clock.now()
    let schema = tenant.schema
    let old = try await tx.first(LockPurpose(id: purpose.id), in: schema)
    let version: Int
    if let old {
      let current = try await tx.all(
        PurposeNotices(purpose: purpose.id, version: old.noticeVersion), in: schema)
      let isSame =
        Dictionary(uniqueKeysWithValues: current.map { ($0.language, $0.body) }) == purpose.notices
      version = isSame ? old.noticeVersion : old.noticeVersion + 1
      if isSame, old.name == purpose.name, old.description == purpose.description,
        old.isActive == purpose.isActive
      {
        return old
      }
    } else {
      version = 1
    }
    let put = PutPurpose(
      id: purpose.id, name: purpose.name, description: purpose.description, version: version,
      status: purpose.isActive ? .active : .retired, now: now)
    try await tx.run(put, in: schema)
    if old?.noticeVersion != version {
      for (language, body) in purpose.notices.sorted(by: { $0.key < $1.key }) {
        try await tx.run(
          InsertNotice(
            purpose: purpose.id, version: version, language: language, body: body,
            sha256: SHA2.sha256(body), now: now),
          in: schema)
      }
    }
    try await audit.record(
      AuditEvent(
        old == nil ? .consentPurposeCreated : .consentPurposeUpdated, origin: origin, subject: nil,
        detail: ["purpose": .string(purpose.id), "notice_version": .integer(version)]),
      in: tx, tenant: tenant)
    return ConsentPurpose(
      id: purpose.id, name: purpose.name, description: purpose.description, noticeVersion: version,
      isActive: purpose.isActive, updatedAt: now)
  }

  /// The purposes of a tenant by id, with the retired ones only if asked for; never the built-in one.
  package func purposes(retired: Bool, in tenant: Tenant) async throws -> [ConsentPurpose] {
    try await database.all(ListPurposes(retired: retired), in: tenant.schema)
  }

  package func purpose(_ id: String, in tenant: Tenant) async throws -> ConsentPurpose? {
    try await database.first(FindPurpose(id: id), in: tenant.schema)
  }

  /// The current text of a purpose in the language, or else in English, or else in any.
  package func notice(
    of purpose: String, language: String, in tenant: Tenant
  ) async throws -> ConsentNotice? {
    try await database.first(
      CurrentNotice(purpose: purpose, language: language), in: tenant.schema)
  }

  // MARK: Decisions

  /// Records a decision with the notice that is current, in the caller's transaction.
  ///
  /// Withdrawing is the same call: it is as easy as giving (Article 7(3)). The caller revokes what hung on it in
  /// the same transaction.
  package func record(
    _ decision: ConsentDecision, of user: UserID, in tx: Transaction, tenant: Tenant,
    origin: AuditOrigin
  ) async throws {
    let id = ID<ConsentEvent>.generate(clock, random)
    let insert = InsertConsentEvent(
      id: id, user: user, purpose: decision.target.purpose, client: decision.target.client,
      scope: decision.target.scope, action: decision.action, language: decision.language,
      method: decision.method, now: clock.now())
    guard try await tx.run(insert, in: tenant.schema) == 1 else {
      throw ConsentError.unknownPurpose
    }
    var detail: JSONObject = [
      "purpose": .string(decision.target.purpose), "method": .string(decision.method.rawValue),
    ]
    if let client = decision.target.client { detail["client_id"] = .string(client) }
    try await audit.record(
      AuditEvent(
        decision.action == .granted ? .consentGranted : .consentWithdrawn, origin: origin,
        subject: AuditSubject(id: user, key: nil), detail: detail),
      in: tx, tenant: tenant)
  }

  /// The last decision of a user for each purpose and each application, in one query.
  package func state(of user: UserID, in tenant: Tenant) async throws -> [ConsentState] {
    try await database.all(ConsentStates(user: user), in: tenant.schema)
  }

  /// The scope a user has granted an application and not withdrawn; nil if there is none.
  package func grantedScope(
    of user: UserID, client: String, in tenant: Tenant
  ) async throws -> String? {
    let state = try await database.first(
      ApplicationConsent(user: user, client: client), in: tenant.schema)
    guard let state, state.isGranted else { return nil }
    return state.scope
  }

  /// The same in the caller's transaction.
  package func grantedScope(
    of user: UserID, client: String, in tx: Transaction, tenant: Tenant
  ) async throws -> String? {
    let state = try await tx.first(
      ApplicationConsent(user: user, client: client), in: tenant.schema)
    guard let state, state.isGranted else { return nil }
    return state.scope
  }
}

package enum ConsentError: Error, Hashable, Sendable {
  /// There is no such purpose, or it is retired and was to be granted.
  case unknownPurpose
}

extension AuditAction {
  static let consentPurposeCreated = AuditAction("consent_purpose.created")
  static let consentPurposeUpdated = AuditAction("consent_purpose.updated")
  static let consentGranted = AuditAction("consent.granted")
  static let consentWithdrawn = AuditAction("consent.withdrawn")
}
