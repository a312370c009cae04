import Database
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET` and `POST /oidc/userinfo` (OpenID Connect Core section 5.3).
struct UserInfoEndpoint: TenantEndpoint {
  let tokens: AccessTokens
  let database: Database

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("oidc/userinfo", use: respond)
    routes.post("oidc/userinfo", use: respond)
  }

  func respond(to request: Request, in context: TenantContext) async throws -> JSONResponse {
    let tenant = context.tenant
    let presented = try await bearerToken(request)
    guard let token = try await tokens.verify(presented, for: [tenant.issuer], of: tenant) else {
      throw BearerChallenge.invalidToken("not a valid token of this organization")
    }
    guard let family = token.id.family, token.scope.contains(OAuthScope.openID) else {
      throw BearerChallenge.insufficientScope(OAuthScope.openID)
    }
    if let client = try await tokens.clients.find(token.clientID, in: tenant) {
      context.allowOrigins(client.metadata.origins, for: request.headers)
    }
    try await context.charge(
      context.limits.charge(.client, .name(token.clientID.text), in: tenant),
      context.limits.charge(.user, .name(token.subject), in: tenant))
    let find = FindUserInfo(family: ID(family), jti: token.id.description)
    guard try await tokens.isClientActive(token, of: tenant),
      let info = try await database.first(find, in: tenant.schema), info.isAlive
    else {
      throw BearerChallenge.invalidToken("grant, session, user or token no longer valid")
    }
    return JSONResponse(
      .ok, .object(try info.claims(for: token.scope, in: tenant)),
      headers: [.cacheControl: "no-store"])
  }

  /// In the header, or in the form of a POST (RFC 6750 sections 2.1 and 2.2); never in the query.
  private func bearerToken(_ request: Request) async throws -> Secret<String> {
    let header = try request.headers.bearerToken()
    var body: String?
    let isForm =
      request.headers[.contentType]?.lowercased()
      .hasPrefix("application/x-www-form-urlencoded") ?? false
    if request.method == .post, isForm {
      body = try await Form(request, limit: 32 * 1024).optional("access_token")
    }
    switch (header, body) {
    case (let token?, nil): return token
    case (nil, let token?): return Secret(token)
    case (.some, .some): throw BearerChallenge.invalidRequest("token in header and body")
    case (nil, nil): throw BearerChallenge.missing
    }
  }
}

extension StoredUserInfo {
  /// The claims the scope asks for (OpenID Connect Core section 5.4).
  func claims(for scope: OAuthScope, in tenant: Tenant) throws -> JSONObject {
    let key = try tenant.key.unwrap(subjectKey, user: user)
    let place = SealedPlace(table: "user_account", column: "profile", row: user.description)
    let profile = Claims(stored: try key.open(profile, at: place))
    var claims: JSONObject = ["sub": .string(user.description)]
    claims = claims.merging(profile.released(for: scope))
    if scope.contains("profile") { claims["updated_at"] = .integer(updatedAt.unixSeconds) }
    return claims
  }
}
