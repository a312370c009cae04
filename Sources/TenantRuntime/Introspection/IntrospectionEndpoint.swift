import Database
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `POST /oauth2/introspect` (RFC 7662), for authenticated clients of the same tenant.
///
/// A client learns about its own tokens and those meant for it; about others' only if an administrator
/// has registered it for that. `username` is never told: the subject is enough.
struct IntrospectionEndpoint: TenantEndpoint {
  let authenticate: ClientAuthenticator
  let tokens: AccessTokens
  let database: Database
  let settings: TokenSettings
  let metrics: RuntimeMetrics
  let clock: WallClock

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.post("oauth2/introspect", use: respond)
  }

  func respond(to request: Request, in context: TenantContext) async throws -> JSONResponse {
    let form = try await Form(request, limit: 32 * 1024)
    let client = try await authenticate(request.headers, form, in: context)
    // RFC 7662 section 2.1: the endpoint requires authorization, which a public client can't prove.
    guard !client.isPublic else { throw OAuthError.invalidClient("public client") }
    let token = Secret(try form.required("token"))
    // RFC 7662 section 2.1: a hint only; we tell the kinds apart by themselves.
    _ = try form.optional("token_type_hint")
    let members = try await description(of: token, for: client, in: context.tenant)
    metrics.introspection(active: members != nil)
    return JSONResponse(
      .ok, .object(members ?? ["active": false]), headers: [.cacheControl: "no-store"])
  }

  /// Nil for everything that is not, or no longer, a token of this tenant (RFC 7662 section 2.2).
  private func description(
    of token: Secret<String>, for client: Client, in tenant: Tenant
  ) async throws -> JSONObject? {
    if let refresh = RefreshToken(token.reveal(), key: tenant.refreshTokenKey) {
      return try await description(of: refresh, for: client, in: tenant)
    }
    guard let access = try await tokens.verify(token, of: tenant),
      Self.mayKnow(client, of: access), try await tokens.isAlive(access, of: tenant)
    else { return nil }
    return JSONObject([("active", true), ("token_type", "Bearer")]).merging(access.claims)
  }

  private static func mayKnow(_ client: Client, of token: AccessToken) -> Bool {
    token.clientID == client.id || token.audience.contains(client.id.text)
      || client.metadata.introspectsAllTokens
  }

  /// A refresh token is between its client and the issuer: to others it is nothing (RFC 7662 section 4).
  private func description(
    of token: RefreshToken, for client: Client, in tenant: Tenant
  ) async throws -> JSONObject? {
    guard
      let family = try await database.first(
        FindTokenFamily(family: token.family), in: tenant.schema),
      family.client == client.id
    else { return nil }
    switch family.refreshDecision(
      generation: token.generation, client: family.client, now: clock.now(),
      graceSeconds: settings.refreshGraceSeconds)
    {
    case .refuse, .revokeFamily: return nil
    case .rotate, .repeatSuccessor:
      return [
        "active": true, "iss": .string(tenant.issuer),
        "sub": .string(tenant.subject(of: family.user, for: client.metadata)),
        "client_id": .string(family.client.text), "scope": .string(family.scope.description),
        "exp": .integer(family.expiresAt.unixSeconds),
      ]
    }
  }
}
