package import Database
import FoundationEssentials
package import Platform

/// Why a grant ended; the text of `token_family.revoked_reason`.
package enum GrantRevocationReason: String, SQLCodable, Sendable, Hashable, CaseIterable {
  case codeReuse = "code_reuse"
  case refreshTokenReuse = "refresh_token_reuse"
  case revokedByClient = "revoked_by_client"
  case consentWithdrawn = "consent_withdrawn"
  case signedOut = "signed_out"
  case sessionRevoked = "session_revoked"
  case userRevoked = "user_revoked"
  case clientRevoked = "client_revoked"
  case passwordChanged = "password_changed"
  case userDisabled = "user_disabled"
  case userErasing = "user_erasing"
}

/// Tells applications that sessions of theirs have ended, in the transaction that ends them (house
/// rule: effects leave through the queue).
package struct LogoutNotifier: Sendable {
  package let notify: @Sendable ([SessionClient], Tenant, Transaction) async throws -> Void

  package init(
    notify: @escaping @Sendable ([SessionClient], Tenant, Transaction) async throws -> Void
  ) {
    self.notify = notify
  }
}

/// What a revocation took away.
package struct Revoked: Sendable, Hashable {
  package var sessions = 0
  package var grants = 0
  /// Who signed in by the sessions that ended; those with a back channel are being told.
  package var clients: [SessionClient] = []

  package var isNothing: Bool { sessions == 0 && grants == 0 }

  var auditDetail: JSONObject {
    ["sessions": .integer(sessions), "grants": .integer(grants)]
  }
}

/// Ends sessions and grants with all that lives by them: codes, refresh tokens, access tokens.
///
/// Access tokens are not stored; they are refused because their grant or session has ended. The order is
/// sessions, codes, grants: no code of an ended session can be used, and one that is just being used is
/// waited for.
package struct Revocations: Sendable {
  let database: Database
  let audit: AuditRecorder
  let notifier: LogoutNotifier
  let clock: WallClock
  private let ended = Series(valuesMax: 16) { Counter() }

  init(database: Database, audit: AuditRecorder, notifier: LogoutNotifier, clock: WallClock) {
    self.database = database
    self.audit = audit
    self.notifier = notifier
    self.clock = clock
  }

  var metrics: [MetricFamily] {
    [
      .counter(
        "tenure_sessions_ended_total", "Sessions that ended before they expired, by reason.",
        by: "reason", ended)
    ]
  }

  // MARK: Sessions

  /// The live sessions of a user, the newest sign-in first.
  package func sessions(of user: User, in tenant: Tenant) async throws -> [ListedSession] {
    let list = ListSessions(user: user.id, now: clock.now())
    return try await database.all(list, in: tenant.schema).map { stored in
      let device = try stored.personal.map {
        try user.key.open($0, at: .sessionPersonal(stored.session.id))
      }
      return ListedSession(
        session: stored.session, ipAddress: device?["ip_address"]?.stringValue,
        userAgent: device?["user_agent"]?.stringValue)
    }
  }

  /// A user signs out: grants with `offline_access` go on (OpenID Connect Core section 11).
  package func signOut(
    _ session: ID<Session>, of user: UserID, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> Revoked {
    try await database.transaction(in: tenant.schema) { tx in
      let revoked = try await end(
        user, only: session, except: nil, includesOffline: false, .signedOut, in: tx, tenant)
      guard revoked.sessions > 0 else { return revoked }
      try await record(
        .sessionSignedOut, of: user, revoked, ["session_id": .string(session.description)], in: tx,
        tenant, origin)
      return revoked
    }
  }

  /// A session is taken away, from afar or because its device is lost: every grant of it ends.
  package func revoke(
    _ session: ID<Session>, of user: UserID, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> Revoked {
    try await database.transaction(in: tenant.schema) { tx in
      let revoked = try await end(
        user, only: session, except: nil, includesOffline: true, .sessionRevoked, in: tx, tenant)
      guard revoked.sessions > 0 else { return revoked }
      try await record(
        .sessionRevoked, of: user, revoked, ["session_id": .string(session.description)], in: tx,
        tenant, origin)
      return revoked
    }
  }

  /// The same for every session but the one the user looks from.
  package func revokeSessions(
    of user: UserID, except own: ID<Session>, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> Revoked {
    try await database.transaction(in: tenant.schema) { tx in
      let revoked = try await end(
        user, only: nil, except: own, includesOffline: true, .sessionRevoked, in: tx, tenant)
      guard revoked.sessions > 0 else { return revoked }
      try await record(.sessionRevoked, of: user, revoked, [:], in: tx, tenant, origin)
      return revoked
    }
  }

  // MARK: Users and clients

  /// Everything of a user: sessions, codes and every grant.
  package func revokeEverything(of user: UserID, in tenant: Tenant, origin: AuditOrigin)
    async throws -> Revoked
  {
    try await database.transaction(in: tenant.schema) { tx in
      try await revokeEverything(of: user, in: tx, tenant: tenant, origin: origin)
    }
  }

  /// The same in the caller's transaction.
  package func revokeEverything(
    of user: UserID, in tx: Transaction, tenant: Tenant, origin: AuditOrigin
  ) async throws -> Revoked {
    let revoked = try await endEverything(of: user, .userRevoked, in: tx, tenant)
    guard !revoked.isNothing else { return revoked }
    try await record(.userRevoked, of: user, revoked, [:], in: tx, tenant, origin)
    return revoked
  }

  /// Everything a client holds: codes and grants of anybody, and tokens of its own; sessions are the
  /// users'.
  package func revokeEverything(of client: ClientID, in tenant: Tenant, origin: AuditOrigin)
    async throws -> Revoked
  {
    let now = clock.now()
    return try await database.transaction(in: tenant.schema) { tx in
      try await tx.run(DeleteCodesOfClient(client: client, now: now))
      let grants = try await tx.run(
        RevokeAllTokenFamiliesOfClient(client: client, reason: .clientRevoked, now: now))
      try await tx.run(RevokeClientTokens(client: client, now: now))
      let revoked = Revoked(grants: grants)
      try await audit.record(
        AuditEvent(
          .clientRevoked, origin: origin, subject: nil,
          detail: revoked.auditDetail.merging(["client_id": .string(client.text)])),
        in: tx, tenant: tenant)
      return revoked
    }
  }

  /// Without an audit event: for what has one of its own, such as a change of the password.
  func endEverything(
    of user: UserID, _ reason: GrantRevocationReason, in tx: Transaction, _ tenant: Tenant
  ) async throws -> Revoked {
    let now = clock.now()
    let ended = try await tx.all(
      EndSessions(user: user, only: nil, except: nil, now: now), in: tenant.schema)
    // Of an account that is being erased no code is good, and its erasure reports what it deletes.
    if reason != .userErasing {
      try await tx.run(DeleteCodesOfUser(user: user), in: tenant.schema)
    }
    let grants = try await tx.run(
      RevokeTokenFamiliesOfUser(user: user, reason: reason, now: now), in: tenant.schema)
    return try await tell(
      Revoked(sessions: ended.count, grants: grants), ended, reason, in: tx, tenant)
  }

  private func end(
    _ user: UserID, only: ID<Session>?, except: ID<Session>?, includesOffline: Bool,
    _ reason: GrantRevocationReason, in tx: Transaction, _ tenant: Tenant
  ) async throws -> Revoked {
    let now = clock.now()
    let ended = try await tx.all(EndSessions(user: user, only: only, except: except, now: now))
    guard !ended.isEmpty else { return Revoked() }
    try await tx.run(DeleteCodesOfSessions(user: user, sessions: ended))
    let grants = try await tx.run(
      RevokeTokenFamiliesOfSessions(
        sessions: ended, includesOffline: includesOffline, reason: reason, now: now))
    return try await tell(
      Revoked(sessions: ended.count, grants: grants), ended, reason, in: tx, tenant)
  }

  private func tell(
    _ revoked: Revoked, _ ended: [UUID], _ reason: GrantRevocationReason, in tx: Transaction,
    _ tenant: Tenant
  ) async throws -> Revoked {
    guard !ended.isEmpty else { return revoked }
    tx.onCommit { [counts = self.ended, count = ended.count] in
      counts[reason.rawValue].add(count)
    }
    var revoked = revoked
    revoked.clients = try await tx.all(FindSessionClients(sessions: ended), in: tenant.schema)
    let told = revoked.clients.filter { $0.logout.backChannelURI != nil }
    if !told.isEmpty { try await notifier.notify(told, tenant, tx) }
    return revoked
  }

  private func record(
    _ action: AuditAction, of user: UserID, _ revoked: Revoked, _ personal: JSONObject,
    in tx: Transaction, _ tenant: Tenant, _ origin: AuditOrigin
  ) async throws {
    let key = try await tx.first(FindSubjectKey(user: user), in: tenant.schema)
    try await audit.record(
      AuditEvent(
        action, origin: origin, subject: try key.subject(user, tenant),
        detail: revoked.auditDetail, personal: personal),
      in: tx, tenant: tenant)
  }
}

extension AuditAction {
  static let sessionSignedOut = AuditAction("session.signed_out")
  static let sessionRevoked = AuditAction("session.revoked")
  static let userRevoked = AuditAction("user.access_revoked")
  static let clientRevoked = AuditAction("client.access_revoked")
}

extension [UInt8]? {
  /// The subject of an audit event, with the key that seals its personal part.
  package func subject(_ user: UserID, _ tenant: Tenant) throws -> AuditSubject {
    AuditSubject(id: user, key: try map { try tenant.key.unwrap($0, user: user) })
  }
}
