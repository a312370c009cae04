import Platform
import Testing
import Web

@testable import TenantRuntime

@Suite("RFC 6749 section 3.1.2, RFC 9207: where an authorization response goes")
struct VerifiedRedirectTests {
  func location(_ parameters: [String: String], _ result: [(String, String)]) throws -> String {
    try UnverifiedAuthorizationRequest(AuthorizationParameters(parameters))
      .verifyRedirect(
        registered: AuthorizationFixture.client(), issuer: "https://id.example/t/acme"
      ).location(result)
  }

  @Test func stateAndIssuerComeAlong() throws {
    let location = try location(
      ["client_id": "web", "redirect_uri": "https://app.example/cb", "state": "a b&c=d"],
      [("code", "x")])
    #expect(
      location
        == "https://app.example/cb?code=x&state=a%20b%26c%3Dd&iss=https%3A%2F%2Fid.example%2Ft%2Facme"
    )
  }

  @Test func noStateIsInvented() throws {
    let location = try location(
      ["client_id": "web", "redirect_uri": "https://app.example/cb"], [("error", "access_denied")])
    #expect(
      location
        == "https://app.example/cb?error=access_denied&iss=https%3A%2F%2Fid.example%2Ft%2Facme")
  }

  @Test func registeredQueryIsKept() throws {
    let location = try location(
      ["client_id": "web", "redirect_uri": "https://app.example/other?x=1"], [("code", "x")])
    #expect(location.hasPrefix("https://app.example/other?x=1&code=x&iss="))
  }

  @Test(
    arguments: [
      nil, "https://evil.example/cb", "https://app.example/cb?x=1", "https://app.example/other",
      "https://app.example/other?x=1&y=2", "https://app.example/other?x=2",
    ] as [String?])
  func refuses(_ uri: String?) {
    #expect(throws: OAuthError.self) {
      var parameters = ["client_id": "web"]
      parameters["redirect_uri"] = uri
      _ = try location(parameters, [])
    }
  }

  @Test func aSingleRegisteredAddressIsTheDefault() throws {
    let client = try AuthorizationFixture.client(["redirect_uris": ["https://app.example/cb"]])
    let redirect = try UnverifiedAuthorizationRequest(AuthorizationParameters(["client_id": "web"]))
      .verifyRedirect(registered: client, issuer: "https://id.example/t/acme")
    #expect(redirect.uri == "https://app.example/cb")
  }
}
