import Database
import FoundationEssentials
import Platform
import Tenancy
import Web

/// The browser sessions of a tenant: found by their cookie, started at sign-in, ended at sign-out.
struct Sessions: Sendable {
  let database: Database
  let revocations: Revocations
  let server: BaseURL
  let clock: WallClock
  let random: RandomSource

  /// The cookie is bound to the tenant's path: signing in to one organization tells others nothing.
  func cookie(of tenant: Tenant) -> CookieName {
    CookieName(
      "tenure_session", path: tenant.issuerPath.isEmpty ? "/" : tenant.issuerPath, of: server)
  }

  /// What a browser gets that has no session any more.
  func removals(in tenant: Tenant) -> [SetCookie] {
    [cookie(of: tenant).removal, BrowserState.cookie(of: tenant, server: server).removal]
  }

  /// What a browser keeps of its session.
  private func cookies(_ token: SessionToken, _ session: ID<Session>, _ tenant: Tenant)
    -> [SetCookie]
  {
    [
      BrowserState.cookie(of: tenant, server: server)
        .set(BrowserState(session, of: tenant).value),
      cookie(of: tenant).set(token.cookie),
    ]
  }

  /// The session a cookie belongs to, kept alive while it is used.
  func current(_ cookie: String?, in tenant: Tenant) async throws -> Session? {
    guard let token = cookie.flatMap(SessionToken.init(cookie:)) else { return nil }
    let now = clock.now()
    guard
      let session = try await database.first(
        FindSession(hash: token.hash, now: now), in: tenant.schema)
    else { return nil }
    let fresh = expiry(from: now, createdAt: session.createdAt, tenant)
    // A write at most twice in an idle lifetime, not one for each request.
    let idle = Double(tenant.settings.sessionIdleLifetimeSeconds)
    if fresh.timeIntervalSince(session.expiresAt) > idle / 2 {
      try await database.run(ExtendSession(id: session.id, expiresAt: fresh), in: tenant.schema)
    }
    return session
  }

  /// Starts a session at a sign-in.
  ///
  /// The same user keeps the session under a new cookie, so that a
  /// cookie planted before the sign-in is worth nothing and applications keep their `sid`; another
  /// user's session ends.
  func start(for user: User, replacing old: Session?, in tenant: Tenant, origin: AuditOrigin)
    async throws -> [SetCookie]
  {
    let token = SessionToken.generate(random)
    let now = clock.now()
    if let old, old.user == user.id {
      let renewed = try await database.run(
        RenewSession(
          id: old.id, newHash: token.hash, user: user.id, acr: Session.passwordACR,
          amr: Session.passwordAMR, personal: device(origin, of: user, session: old.id, tenant),
          now: now, expiresAt: expiry(from: now, createdAt: now, tenant)),
        in: tenant.schema)
      if renewed == 1 { return cookies(token, old.id, tenant) }
    } else if let old {
      _ = try await end(old, in: tenant, origin: origin.with(actor: .user(old.user)))
    }
    let id = ID<Session>.generate(clock, random)
    let started = try await database.run(
      StartSession(
        id: id, hash: token.hash, user: user.id, acr: Session.passwordACR,
        amr: Session.passwordAMR, personal: device(origin, of: user, session: id, tenant),
        now: now, expiresAt: expiry(from: now, createdAt: now, tenant)),
      in: tenant.schema)
    guard started == 1 else { throw OAuthError.accessDenied }
    return cookies(token, id, tenant)
  }

  /// Ends a session and every grant that lives by it; the applications that have to be told.
  func end(_ session: Session, in tenant: Tenant, origin: AuditOrigin) async throws
    -> [SessionClient]
  {
    try await revocations.signOut(session.id, of: session.user, in: tenant, origin: origin).clients
  }

  private func expiry(from now: Date, createdAt: Date, _ tenant: Tenant) -> Date {
    min(
      now.addingTimeInterval(Double(tenant.settings.sessionIdleLifetimeSeconds)),
      createdAt.addingTimeInterval(Double(tenant.settings.sessionAbsoluteLifetimeSeconds)))
  }

  /// IP address and user agent as far as the tenant records them, sealed under the subject key.
  private func device(_ origin: AuditOrigin, of user: User, session: ID<Session>, _ tenant: Tenant)
    -> [UInt8]?
  {
    var document: JSONObject = [:]
    if tenant.settings.recordsIPAddress {
      document["ip_address"] = origin.ipAddress.map { .string($0) }
    }
    if tenant.settings.recordsUserAgent {
      document["user_agent"] = origin.userAgent.map { .string(String($0.prefix(512))) }
    }
    return document.isEmpty ? nil : user.key.seal(document, at: .sessionPersonal(session))
  }
}
