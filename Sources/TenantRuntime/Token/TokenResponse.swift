import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// What a grant gives out.
struct TokenSet: Sendable {
  let accessToken: String
  let lifetimeSeconds: Int
  let scope: OAuthScope
  var refreshToken: String?
  var idToken: String?
  /// RFC 8693 section 2.2.1.
  var issuedTokenType: String?
}

/// A successful response of the token endpoint (RFC 6749 section 5.1, OpenID Connect Core 3.1.3.3).
struct TokenResponse: ResponseGenerator {
  let tokens: TokenSet

  init(_ tokens: TokenSet) { self.tokens = tokens }

  func response(from request: Request, context: some RequestContext) -> Response {
    var members: JSONObject = [
      "access_token": .string(tokens.accessToken), "token_type": "Bearer",
      "expires_in": .integer(tokens.lifetimeSeconds), "scope": .string(tokens.scope.description),
    ]
    members["refresh_token"] = tokens.refreshToken.map { .string($0) }
    members["issued_token_type"] = tokens.issuedTokenType.map { .string($0) }
    members["id_token"] = tokens.idToken.map { .string($0) }
    return JSONResponse(.ok, .object(members), headers: [.cacheControl: "no-store"])
      .response(from: request, context: context)
  }
}
