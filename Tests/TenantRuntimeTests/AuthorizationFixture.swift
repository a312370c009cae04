import Cryptography
import Platform
import Tenancy
import Web

@testable import TenantRuntime

/// Requests and clients for tests without I/O.
enum AuthorizationFixture {
  static let key = HMACKey(Array(repeating: 9, count: 32))

  static let parameters: [String: String] = [
    "response_type": "code", "client_id": "web", "redirect_uri": "https://app.example/cb",
    "scope": "openid email", "state": "s", "code_challenge_method": "S256",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  ]

  /// The usual request with some parameters changed; nil leaves one out.
  static func request(_ changes: [String: String?]) throws(OAuthError) -> AuthorizationRequest {
    var values = parameters
    for (name, value) in changes { values[name] = value }
    let parameters = AuthorizationParameters(values)
    let client = try client()
    let redirect = try UnverifiedAuthorizationRequest(parameters)
      .verifyRedirect(registered: client, issuer: "https://id.example/t/acme")
    return try AuthorizationRequest(parameters, client: client, redirect: redirect)
  }

  /// The metadata of a web application with two redirect URIs.
  static func client(_ changes: JSONObject = [:]) throws(OAuthError) -> ClientMetadata {
    let metadata: JSONObject = [
      "redirect_uris": ["https://app.example/cb", "https://app.example/other?x=1"],
      "grant_types": ["authorization_code", "refresh_token"],
    ]
    do {
      return try ClientMetadata(validating: metadata.merging(changes))
    } catch {
      throw .serverError
    }
  }
}
