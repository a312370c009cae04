import Cryptography
import Database
import FoundationEssentials
import Platform
import Tenancy
import Web

/// Issues authorization codes.
struct AuthorizationCodes: Sendable {
  let database: Database
  let audit: AuditRecorder
  let clock: WallClock
  let random: RandomSource

  /// A code for a request that needs no more consent: the sign-in of an application by an existing session.
  func issue(
    _ authorization: AuthorizationRequest, _ client: Client, _ session: Session,
    in tenant: Tenant, origin: AuditOrigin
  ) async throws -> String {
    let code = Self.draw(random)
    try await database.run(
      insert(code, authorization, client, session, tenant), in: tenant.schema)
    try await audit.record(granted(authorization, client, session, origin), tenant: tenant)
    return code
  }

  /// The same in the transaction that records the consent.
  func issue(
    _ authorization: AuthorizationRequest, _ client: Client, _ session: Session,
    in tx: Transaction, tenant: Tenant
  ) async throws -> String {
    let code = Self.draw(random)
    try await tx.run(insert(code, authorization, client, session, tenant))
    return code
  }

  func granted(
    _ authorization: AuthorizationRequest, _ client: Client, _ session: Session,
    _ origin: AuditOrigin
  ) -> AuditEvent {
    AuditEvent(
      .authorizationGranted, origin: origin, subject: AuditSubject(id: session.user, key: nil),
      detail: [
        "client_id": .string(client.id.text), "scope": .string(authorization.scope.description),
      ])
  }

  private func insert(
    _ code: String, _ authorization: AuthorizationRequest, _ client: Client, _ session: Session,
    _ tenant: Tenant
  ) -> InsertAuthorizationCode {
    let now = clock.now()
    let grant = AuthorizationCode(
      client: client.id, redirectURI: authorization.redirect.uri, scope: authorization.scope,
      challenge: authorization.challenge?.value, nonce: authorization.nonce,
      family: .generate(clock, random), session: session.id,
      authenticatedAt: session.authenticatedAt, acr: session.acr, amr: session.amr,
      claims: authorization.claims.released, resources: authorization.resources.uris)
    return InsertAuthorizationCode(
      hash: SHA2.sha256(Base64URL.decode(code) ?? []), user: session.user,
      payload: grant.payload, now: now,
      expiresAt: now.addingTimeInterval(
        Double(tenant.settings.authorizationCodeLifetimeSeconds)))
  }

  /// 256 bits: RFC 6749 section 10.10 asks for a chance of 2^-160 at most.
  private static func draw(_ random: RandomSource) -> String {
    Base64URL.encode(random.bytes(32))
  }
}
