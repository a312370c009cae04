import FoundationEssentials
import Platform
import Tenancy
import Testing
import Web

@testable import TenantRuntime

@Suite("RFC 6749 section 4.1.2 and 5.2: authorization codes")
struct AuthorizationCodeTests {
  static let now = Date(timeIntervalSince1970: 1_800_000_000)

  func code() throws -> AuthorizationCode {
    AuthorizationCode(
      client: try #require(ClientID("web")), redirectURI: "https://app.example/cb",
      scope: try #require(OAuthScope("openid email")), challenge: "c", nonce: "n",
      family: ID(UUID()), session: ID(UUID()), authenticatedAt: Self.now, acr: "0",
      amr: ["pwd", "otp"], claims: ReleasedClaims(userInfo: ["name"], idToken: ["email"]),
      resources: ["https://api.example/"])
  }

  @Test func payloadRoundTrip() throws {
    let code = try code()
    #expect(try AuthorizationCode(code.payload) == code)
  }

  @Test func malformedPayload() {
    #expect(throws: AuthorizationCode.Malformed.self) { try AuthorizationCode(["client_id": "x"]) }
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var client = "web"
    var redirect: String? = "https://app.example/cb"
    var challenge: String? = "c"
    var resources: [String] = []
    var consumed = false
    var expired = false
    var error: OAuthError.Code = .invalidGrant
    let revokes: Bool
  }

  @Test(arguments: [
    Row(testDescription: "other client", client: "other", revokes: false),
    Row(testDescription: "other client, consumed", client: "other", consumed: true, revokes: false),
    Row(testDescription: "second use", consumed: true, revokes: true),
    Row(
      testDescription: "second use with a wrong verifier", challenge: "x", consumed: true,
      revokes: true),
    Row(testDescription: "second use after the end", consumed: true, expired: true, revokes: true),
    Row(testDescription: "expired", expired: true, revokes: false),
    Row(testDescription: "wrong verifier", challenge: "x", revokes: false),
    Row(testDescription: "no verifier", challenge: nil, revokes: false),
    Row(
      testDescription: "a resource beyond the grant", resources: ["https://other.example/"],
      error: .invalidTarget, revokes: false),
    Row(testDescription: "wrong redirect", redirect: "https://app.example/x", revokes: false),
    Row(testDescription: "session ended meanwhile", redirect: nil, revokes: false),
  ])
  func refusals(_ row: Row) throws {
    let stored = AuthorizationCode.Stored(
      user: nil, grant: try code(), expiresAt: Self.now.addingTimeInterval(row.expired ? -1 : 1),
      consumedAt: row.consumed ? Self.now : nil)
    let refusal = try stored.refusal(
      client: try #require(ClientID(row.client)), redirectURI: row.redirect,
      challenge: row.challenge, resources: ResourceIndicators(row.resources), now: Self.now)
    switch refusal {
    case .refuse(let error):
      #expect(!row.revokes)
      #expect(error.code == row.error)
    case .revokeFamily(let error):
      #expect(row.revokes)
      #expect(error.code == .invalidGrant)
    }
  }

  @Test(arguments: ["", "x", String(repeating: "A", count: 42), String(repeating: "A", count: 44)])
  func impossibleCodes(_ text: String) {
    #expect(AuthorizationCode.hash(text) == nil)
  }
}
