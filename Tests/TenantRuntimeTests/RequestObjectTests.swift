import JOSE
import Platform
import Tenancy
import Testing
import Web

@testable import TenantRuntime

@Suite("OpenID Connect Core section 6: what a request object says")
struct RequestObjectTests {
  func object(_ claims: JSONObject) throws -> RequestObject {
    try RequestObject(JWTClaims(claims))
  }

  @Test("What is inside wins, what is outside stays, and the object itself is gone")
  func merges() throws {
    let outer = AuthorizationParameters(
      ["client_id": "web", "state": "outside", "nonce": "outside", "request": "x"],
      resources: ["https://outside.example/"])
    let resolved = try object([
      "state": "inside", "max_age": 5, "claims": ["userinfo": ["name": .null]],
      "resource": "https://inside.example/", "iss": "web", "flying": true,
      "interaction": "forged",
    ]).applied(to: outer)
    #expect(
      resolved.values == [
        "client_id": "web", "state": "inside", "nonce": "outside", "max_age": "5",
        "claims": #"{"userinfo":{"name":null}}"#,
      ])
    #expect(resolved.resources == ["https://inside.example/"])
  }

  @Test("A parameter that is repeated outside and said once inside is what is inside")
  func repeated() throws {
    let outer = AuthorizationParameters(try Query("state=a&state=b&scope=openid"))
    let resolved = try object(["state": "inside"]).applied(to: outer)
    #expect(try resolved.optional("state") == "inside")
  }

  @Test(
    "Refused",
    arguments: [
      ["request": "x"], ["request_uri": "https://app.example/x"], ["state": 1], ["state": ""],
      ["scope": ["openid"]], ["max_age": "x\u{0}", "state": true], ["claims": []],
      ["resource": 1], ["resource": ["https://a.example/", 1]], ["redirect_uri": ["x"]],
    ] as [JSONObject])
  func refuses(_ claims: JSONObject) {
    #expect {
      try object(claims)
    } throws: { error in
      (error as? OAuthError)?.code == .invalidRequestObject
    }
  }

  @Test("response_type must not differ")
  func responseType() throws {
    let outer = AuthorizationParameters(["response_type": "code"])
    #expect(throws: OAuthError.self) { try object(["response_type": "token"]).applied(to: outer) }
    #expect(throws: Never.self) { try object(["response_type": "code"]).applied(to: outer) }
  }

  @Test("request_uri: registered, https or vouched for, and a fragment is a digest")
  func addresses() throws {
    let digest = String(repeating: "A", count: 43)
    let client = try AuthorizationFixture.client([
      "request_uris": ["https://app.example/r", "https://app.example/p#\(digest)"]
    ])
    for good in [
      "https://app.example/r", "https://app.example/r#\(digest)", "https://app.example/p#\(digest)",
    ] {
      #expect(throws: Never.self) { try RequestURI(good, client: client) }
    }
    for bad in [
      "https://app.example/p", "https://app.example/other", "https://app.example/r?x=1",
      "https://app.example/r#short", "urn:ietf:params:oauth:request_uri:x", "x",
      "https://app.example/r" + String(repeating: "x", count: 512),
    ] {
      #expect {
        try RequestURI(bad, client: client)
      } throws: { error in
        (error as? OAuthError)?.code == .invalidRequestURI
      }
    }
    let open = try AuthorizationFixture.client()
    #expect(throws: Never.self) { try RequestURI("https://any.example/r", client: open) }
    for bad in ["ftp://any.example/r", "https://user@any.example/r", "https:///r", "r"] {
      #expect(throws: OAuthError.self) { try RequestURI(bad, client: open) }
    }
  }
}

@Suite("RFC 8707 section 2: resource indicators")
struct ResourceIndicatorTests {
  @Test("Absolute URIs without fragment")
  func reads() throws {
    let resources = try ResourceIndicators([
      "https://api.example/", "urn:example:api", "", "https://api.example/",
    ])
    #expect(resources.uris == ["https://api.example/", "urn:example:api"])
  }

  @Test(
    "Refused",
    arguments: [
      ["api"], ["/api"], ["https://api.example/#x"], ["https://api.example/ x"], ["x:"],
      (0...10).map { "https://api\($0).example/" },
    ])
  func refuses(_ values: [String]) {
    #expect(throws: OAuthError.invalidTarget) { try ResourceIndicators(values) }
  }

  @Test("Only the issuer, and what the client registered")
  func policy() throws {
    let client = try AuthorizationFixture.client(["resources": ["https://api.example/"]])
    let issuer = ["https://id.example/t/acme"]
    for allowed in [[], issuer, ["https://api.example/"], issuer + ["https://api.example/"]] {
      #expect(throws: Never.self) {
        try ResourceIndicators(allowed).require(client, audiences: issuer)
      }
    }
    for foreign in ["https://api.example", "https://other.example/"] {
      #expect(throws: OAuthError.invalidTarget) {
        try ResourceIndicators([foreign]).require(client, audiences: issuer)
      }
    }
  }
}
