import Platform
import Tenancy
import Testing
import Web

@testable import TenantRuntime

@Suite("RFC 7591: what may be registered")
struct RegistrationRequestTests {
  static let members: JSONObject = ["redirect_uris": ["https://app.example.org/cb"]]

  func metadata(_ changes: JSONObject, _ policy: RegistrationPolicy) throws(OAuthError)
    -> ClientMetadata
  {
    try RegistrationRequest(.object(Self.members.merging(changes))).metadata(policy)
  }

  @Test("Section 2: what is not known, or not the client's to set, is ignored")
  func ignored() throws {
    let metadata = try metadata(
      [
        "colour": "red", "first_party": true, "pkce_waiver_reason": "why not",
        "introspects_all_tokens": true, "token_exchange": ["subject_clients": ["*"]],
        "client_name#de": "Programm",
      ], RegistrationPolicy())
    #expect(!metadata.isFirstParty && metadata.requests.proofKeyWaiver == nil)
    #expect(metadata.tokenExchange == nil && !metadata.introspectsAllTokens)
    #expect(metadata.scope == RegistrationPolicy().scope)
  }

  @Test func softwareStatementWins() throws {
    let request = try RegistrationRequest([
      "client_name": "plain", "client_uri": "https://a.example",
    ])
    .overruled(by: ["iss": "x", "client_name": "signed", "exp": 1])
    #expect(request.members["client_name"] == "signed" && request.members["iss"] == nil)
    #expect(request.members["client_uri"] == "https://a.example")
  }

  @Test(
    "Redirect hosts",
    arguments: [
      ("https://app.example.org/cb", true), ("https://example.org/cb", false),
      ("https://appexample.org/cb", false), ("https://exact.example/cb", true),
      ("https://sub.exact.example/cb", false), ("https://app.example.org.evil.example/cb", false),
      ("com.example.app:/cb", false),
    ])
  func hosts(_ uri: String, _ isAllowed: Bool) throws {
    var policy = RegistrationPolicy()
    policy.redirectHosts = ["*.example.org", "exact.example"]
    #expect(policy.allows(redirectURI: uri) == isAllowed)
    #expect(RegistrationPolicy().allows(redirectURI: uri))
  }

  @Test("RFC 9493: whom a revocation names")
  func identifiers() throws {
    let email: JSON = ["sub_id": ["format": "email", "email": "a@b.example"]]
    #expect(try SubjectIdentifier(email) == .email("a@b.example"))
    let opaque: JSON = ["sub_id": ["format": "opaque", "id": "x"]]
    #expect(try SubjectIdentifier(opaque) == .opaque("x"))
    let subject: JSON = [
      "sub_id": ["format": "iss_sub", "iss": "https://i.example", "sub": "s"]
    ]
    #expect(
      try SubjectIdentifier(subject) == .issuerSubject(issuer: "https://i.example", subject: "s"))
  }
}
