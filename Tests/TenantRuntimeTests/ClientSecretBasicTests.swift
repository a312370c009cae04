import Platform
import Testing
import Web

@testable import TenantRuntime

@Suite("RFC 6749 section 2.3.1: client_secret_basic")
struct ClientSecretBasicTests {
  func parse(_ pair: String) throws -> (String, String)? {
    try ClientSecretBasic.parse("Basic \(Base64.encode(Array(pair.utf8)))")
      .map { ($0.clientID, secret(of: $0)) }
  }

  func secret(of credentials: ClientCredentials) -> String {
    if case .secret(let secret) = credentials.proof { secret.reveal() } else { "" }
  }

  @Test(arguments: [
    ("web:secret", "web", "secret"), ("web:a%3Ab%25", "web", "a:b%"), ("web:a+b", "web", "a b"),
    ("a%20b:s", "a b", "s"), ("web:a:b", "web", "a:b"), ("web:", "web", ""),
    ("web:s%C3%A9", "web", "s\u{e9}"), ("web:a%26b%3Dc", "web", "a&b=c"),
    // The colon is one, whatever its secret begins with.
    ("web:\u{301}s", "web", "\u{301}s"),
  ])
  func decodes(pair: String, id: String, secret: String) throws {
    let (parsedID, parsedSecret) = try #require(try parse(pair))
    #expect(parsedID == id)
    #expect(parsedSecret == secret)
  }

  @Test(arguments: ["web", ":secret", "web:%", "web:%zz", "web:%ff", "web:a&b%20", "%00:x"])
  func refuses(_ pair: String) {
    #expect(throws: OAuthError.self) { try parse(pair) }
  }

  @Test(arguments: [
    "Basic", "Basic ", "Basic ====", "Basic not base64", "Basic dzr/", "Basic /zp3",
  ])
  func refusesHeaders(_ header: String) {
    #expect(throws: OAuthError.self) { try ClientSecretBasic.parse(header) }
  }

  @Test(arguments: ["Bearer x", "basicx y", ""])
  func otherSchemes(_ header: String) throws {
    #expect(try ClientSecretBasic.parse(header) == nil)
  }
}
