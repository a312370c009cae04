import Testing
import Web

@testable import TenantRuntime

@Suite("RFC 7636: proof key for code exchange")
struct CodeChallengeTests {
  @Test("Appendix B") func vector() throws {
    let verifier = try CodeVerifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    let challenge = try CodeChallenge(
      "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", method: "S256")
    #expect(CodeChallenge(answeredBy: verifier) == challenge)
  }

  @Test(arguments: [nil, "plain", "s256", ""] as [String?])
  func onlyS256(_ method: String?) {
    #expect(throws: OAuthError.self) {
      try CodeChallenge("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", method: method)
    }
  }

  @Test(arguments: [
    "", "short", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMA",
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
  ])
  func malformedChallenges(_ text: String) {
    #expect(throws: OAuthError.self) { try CodeChallenge(text, method: "S256") }
  }

  @Test(arguments: [
    "", String(repeating: "a", count: 42), String(repeating: "a", count: 129),
    String(repeating: "a", count: 42) + "+", String(repeating: "a", count: 42) + "\u{e9}",
  ])
  func malformedVerifiers(_ text: String) {
    #expect(throws: OAuthError.invalidGrant("malformed code_verifier")) { try CodeVerifier(text) }
  }
}
