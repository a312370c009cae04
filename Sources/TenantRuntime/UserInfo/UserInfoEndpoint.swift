import Database
import HTTPTypes
import Hummingbird
import JOSE
import Platform
import Tenancy
import Web

/// `GET` and `POST /oidc/userinfo` (OpenID Connect Core section 5.3).
struct UserInfoEndpoint: TenantEndpoint {
  let tokens: AccessTokens
  let keys: SigningKeyRing
  let database: Database
  let clock: WallClock

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("oidc/userinfo", use: respond)
    routes.post("oidc/userinfo", use: respond)
  }

  func respond(to request: Request, in context: TenantContext) async throws -> Response {
    let tenant = context.tenant
    let presented = try await bearerToken(request)
    guard let token = try await tokens.verify(presented, for: tenant.issuer, of: tenant) else {
      throw BearerChallenge.invalidToken("not a valid token of this organization")
    }
    guard let family = token.id.family, token.scope.contains(OAuthScope.openID) else {
      throw BearerChallenge.insufficientScope(OAuthScope.openID)
    }
    guard let client = try await tokens.activeClient(of: token, in: tenant) else {
      throw BearerChallenge.invalidToken("client no longer active")
    }
    context.allowOrigins(client.metadata.origins, for: request.headers)
    try await context.charge(
      context.limits.charge(.client, .name(token.clientID.text), in: tenant),
      context.limits.charge(.user, .name(token.subject), in: tenant))
    try tenant.userInfoRequirement.check(token, now: clock.now())
    let find = FindUserInfo(
      family: ID(family), client: token.clientID, jti: token.id.description)
    guard let info = try await database.first(find, in: tenant.schema), info.isAlive,
      try await database.isLineageAlive(of: token, in: tenant)
    else {
      throw BearerChallenge.invalidToken("grant, session, user or token no longer valid")
    }
    let subject = tenant.subject(of: info.user, for: client.metadata)
    let claims = JSONObject([("sub", .string(subject))])
      .merging(try info.claims(for: token.scope, in: tenant))
    guard let algorithm = client.metadata.userInfoAlgorithm else {
      return JSONResponse(.ok, .object(claims), headers: [.cacheControl: "no-store"])
        .response(from: request, context: context)
    }
    // Section 5.3.2: signed, with issuer and audience. Without a type, so that it passes for no ID token.
    let key = try await keys.keys(of: tenant).current(algorithm.algorithm)
    let signed = try JWT.sign(
      claims.merging(["iss": .string(tenant.issuer), "aud": .string(client.id.text)]), type: nil,
      with: key)
    return BytesResponse(
      contentType: "application/jwt", Array(signed.utf8), headers: [.cacheControl: "no-store"]
    ).response(from: request, context: context)
  }

  /// In the header, or in the form of a POST (RFC 6750 sections 2.1 and 2.2); never in the query.
  private func bearerToken(_ request: Request) async throws -> Secret<String> {
    let header = try request.headers.bearerToken()
    var body: String?
    let isForm =
      request.headers[.contentType]?.lowercased()
      .hasPrefix("application/x-www-form-urlencoded") ?? false
    if request.method == .post, isForm {
      do {
        body = try await Form(request, limit: 32 * 1024).optional("access_token")
      } catch let error as OAuthError {
        // RFC 6750 section 3: a request without a usable token gets a challenge.
        throw BearerChallenge.invalidRequest(error.description)
      }
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
  /// The claims the scope asks for (OpenID Connect Core section 5.4), and those asked for by name
  /// (section 5.5).
  func claims(for scope: OAuthScope, in tenant: Tenant) throws -> JSONObject {
    let key = try tenant.key.unwrap(subjectKey, user: user)
    let place = SealedPlace(table: "user_account", column: "profile", row: user.description)
    let profile = Claims(stored: try key.open(profile, at: place))
    var released = profile.released(for: scope).merging(profile.released(named: claims.userInfo))
    if scope.contains("profile") || claims.userInfo.contains("updated_at") {
      released["updated_at"] = .integer(updatedAt.unixSeconds)
    }
    return released
  }
}
