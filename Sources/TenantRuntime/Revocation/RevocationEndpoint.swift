import Database
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `POST /oauth2/revoke` (RFC 7009).
struct RevocationEndpoint: TenantEndpoint {
  let authenticate: ClientAuthenticator
  let tokens: AccessTokens
  let hints: IDTokenHintVerifier
  let database: Database
  let audit: AuditRecorder
  let clock: WallClock

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.post("oauth2/revoke", use: respond)
  }

  /// The answer is the same whether there was anything to revoke (RFC 7009 section 2.2), also for
  /// tokens of other clients: it tells nobody which tokens exist (our policy).
  func respond(to request: Request, in context: TenantContext) async throws -> EmptyResponse {
    let form = try await Form(request, limit: 32 * 1024)
    let client = try await authenticate(request.headers, form, in: context)
    let token = Secret(try form.required("token"))
    // RFC 7009 section 2.1: a hint only; we tell the kinds apart by themselves.
    _ = try form.optional("token_type_hint")
    let origin = context.origin(request, actor: .client(client.id.text))
    if let refresh = RefreshToken(token.reveal(), key: context.tenant.refreshTokenKey) {
      try await revoke(refresh, of: client, in: context.tenant, origin: origin)
    } else {
      try await revokeAccess(token, of: client, in: context.tenant, origin: origin)
    }
    return EmptyResponse(.ok)
  }

  /// A refresh token stands for its whole grant, access tokens included (RFC 7009 section 2.1).
  private func revoke(
    _ token: RefreshToken, of client: Client, in tenant: Tenant, origin: AuditOrigin
  ) async throws {
    let now = clock.now()
    try await database.transaction(in: tenant.schema) { tx in
      guard let family = try await tx.first(LockTokenFamily(family: token.family)),
        family.client == client.id, family.revokedAt == nil
      else { return }
      try await tx.run(
        RevokeTokenFamily(
          family: family.id, reason: TokenFamily.RevocationReason.revokedByClient.rawValue, now: now
        ))
      let key = try await tx.first(FindSubjectKey(user: family.user))
      try await audit.record(
        AuditEvent(
          .tokenRevoked, origin: origin, subject: try key.subject(family.user, tenant),
          detail: ["token": "refresh_token", "client_id": .string(client.id.text)],
          personal: ["grant_id": .string(family.id.description)]),
        in: tx, tenant: tenant)
    }
  }

  private func revokeAccess(
    _ token: Secret<String>, of client: Client, in tenant: Tenant, origin: AuditOrigin
  ) async throws {
    guard let access = try await tokens.verify(token, of: tenant) else {
      // An ID token can't be taken back (RFC 7009 section 2.2.1); everything else is nothing to us.
      guard try await hints.hint(token.reveal(), of: tenant) == nil else {
        throw OAuthError(.unsupportedTokenType, "ID tokens can't be revoked.")
      }
      return
    }
    guard access.clientID == client.id else { return }
    let now = clock.now()
    try await database.transaction(in: tenant.schema) { tx in
      let inserted = try await tx.run(
        InsertTokenRevocation(
          jti: access.id.description, now: now, expiresAt: access.expiresAt))
      guard inserted > 0 else { return }
      let family = access.id.family.map { FindTokenFamily(family: ID($0)) }
      let user = if let family { try await tx.first(family)?.user } else { access.user }
      try await audit.record(
        AuditEvent(
          .tokenRevoked, origin: origin,
          subject: user.map { AuditSubject(id: $0, key: nil) },
          detail: ["token": "access_token", "client_id": .string(client.id.text)]),
        in: tx, tenant: tenant)
    }
  }
}
