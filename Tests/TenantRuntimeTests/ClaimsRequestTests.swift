import Platform
import Tenancy
import Testing
import Web

@testable import TenantRuntime

@Suite("OpenID Connect Core section 5.5: the claims parameter")
struct ClaimsRequestTests {
  func request(_ text: String) throws(OAuthError) -> ClaimsRequest {
    try ClaimsRequest(AuthorizationParameters(["claims": text]))
  }

  @Test("What is asked for, by where it is wanted")
  func reads() throws {
    let claims = try request(
      #"""
      {"userinfo": {"name": {"essential": true}, "email": null, "flying": null},
       "id_token": {"auth_time": {"essential": true}, "birthdate": {"value": "x"},
                    "sub": {"value": "alice"}, "acr": {"values": ["a", 1, "b"]}},
       "other": 5}
      """#)
    #expect(claims.released.userInfo == ["name", "email"])
    #expect(claims.released.idToken == ["birthdate"])
    #expect(claims.subject == ["alice"])
    #expect(claims.contextClasses == ContextClassRequest(values: ["a", "b"], isEssential: false))
  }

  @Test("Nothing asked for", arguments: ["{}", #"{"userinfo":null}"#, #"{"id_token":{}}"#])
  func nothing(_ text: String) throws {
    let claims = try request(text)
    #expect(claims.released.isEmpty && claims.subject.isEmpty && claims.contextClasses == nil)
  }

  @Test(
    "Refused",
    arguments: [
      "", " ", "x", "[]", "1", "null", "{", #"{"userinfo":1}"#, #"{"userinfo":[]}"#,
      #"{"userinfo":{"name":true}}"#, #"{"userinfo":{"name":{"essential":"yes"}}}"#,
      #"{"userinfo":{"name":{"values":[]}}}"#, #"{"userinfo":{"name":{"values":"x"}}}"#,
      #"{"userinfo":{"name":{"value":"x","values":["x"]}}}"#,
      #"{"id_token":{"sub":{"value":1}}}"#, #"{"id_token":{"sub":{"values":["a",null]}}}"#,
      #"{"userinfo":{"name":null,"name":null}}"#, #"{"userinfo":{},"userinfo":{}}"#,
      #"{"userinfo":{"name":{"value":[[[[[[1]]]]]]}}}"#,
      #"{"userinfo":{"name":null}} "# + "x",
      #"{"userinfo":{"# + (0...50).map { #""c\#($0)":null"# }.joined(separator: ",") + "}}",
      #"{"userinfo":{"name":{"value":""# + String(repeating: "x", count: 4096) + #""}}}"#,
    ].filter { !$0.isEmpty })
  func refuses(_ text: String) {
    #expect {
      try request(text)
    } throws: { error in
      (error as? OAuthError)?.code == .invalidRequest
    }
  }

  @Test("A claim is no way around the registered scope")
  func registration() throws {
    let asked = ReleasedClaims(userInfo: ["name", "email"], idToken: ["email", "phone_number"])
    let scope = try #require(OAuthScope("openid email"))
    #expect(
      asked.allowed(registered: scope) == ReleasedClaims(userInfo: ["email"], idToken: ["email"]))
    #expect(asked.allowed(registered: .none) == asked)
  }

  @Test("Stored and read again")
  func stored() {
    let claims = ReleasedClaims(userInfo: ["name"], idToken: ["email"])
    #expect(ReleasedClaims(stored: claims.document) == claims)
    #expect(ReleasedClaims().document == nil)
    #expect(ReleasedClaims(stored: nil) == ReleasedClaims())
  }
}
