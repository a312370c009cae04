import Foundation
import JOSE
import Platform
import Testing

/// `oidcc-dynamic-certification-test-plan` with response type `code`.
///
/// `oidcc-server-rotate-keys` is in `DynamicRotateKeysTests`, the registration modules in `DynamicRegistrationTests`.
@Suite("Conformance: Dynamic")
struct DynamicTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-server")
  func server() async throws {
    let first = try await DynamicParty(harness)
    let second = try await DynamicParty(harness, tenant: first.tenant)
    for dynamic in [first, second] {
      let signIn = try await dynamic.signIn(["scope": "openid email"])
      #expect(signIn.claims["nonce"]?.stringValue == dynamic.party.nonce)
      let userinfo = try await dynamic.tenant.userinfo(signIn.accessToken)
      #expect(userinfo.json["sub"] == signIn.claims["sub"])
      #expect(userinfo.json["email"]?.stringValue == dynamic.party.person.email)
    }
  }

  @Test("oidcc-idtoken-rs256")
  func idTokenRS256() async throws {
    let dynamic = try await DynamicParty(harness, ["id_token_signed_response_alg": "RS256"])
    let header = try ReadToken(try await dynamic.signIn().idToken).header
    #expect(header["alg"] == "RS256" && header["kid"]?.stringValue?.isEmpty == false)
  }

  /// The suite skips it where `none` is not advertised; then it must not be to be had either.
  @Test("oidcc-idtoken-unsigned")
  func idTokenUnsigned() async throws {
    let tenant = try await DynamicParty.tenant(harness)
    let reply = try await tenant.register(
      DynamicParty.metadata(TestKey(.rs256)).merging(["id_token_signed_response_alg": "none"]))
    #expect(reply.status == 400 && reply.json["error"] == "invalid_client_metadata")
  }

  @Test("oidcc-userinfo-rs256")
  func userInfoRS256() async throws {
    let dynamic = try await DynamicParty(harness, ["userinfo_signed_response_alg": "RS256"])
    let signIn = try await dynamic.signIn(["scope": "openid email"])
    let reply = try await dynamic.tenant.userinfo(signIn.accessToken)
    #expect(reply.status == 200 && reply.contentType == "application/jwt")
    let keys = try JWKSet(["keys": .array(try await dynamic.tenant.keys())])
    let verified = try JWS.verify(reply.text, allowing: [.rs256], keys: keys)
    let claims = try JWTClaims(payload: verified.payload)
    #expect(claims.issuer == dynamic.tenant.issuer)
    #expect(claims.audience == [dynamic.party.application.id])
    #expect(claims["sub"] == signIn.claims["sub"])
    #expect(claims["email"]?.stringValue == dynamic.party.person.email)
    #expect(claims["nonce"] == nil)
    // A signed answer must not pass for an ID token.
    let hint = try await dynamic.party.authorize([
      "prompt": "none", "id_token_hint": reply.text, "code_challenge_method": "S256",
      "code_challenge": DynamicParty.proof["code_challenge"] ?? nil,
    ])
    #expect(hint.error == "invalid_request")
  }

  @Test("oidcc-ensure-redirect-uri-in-authorization-request")
  func redirectMissing() async throws {
    let dynamic = try await DynamicParty(
      harness,
      ["redirect_uris": ["https://app.example.org/callback", "https://app.example.org/other"]])
    let url = dynamic.party.url(DynamicParty.proof.merging(["redirect_uri": nil]) { $1 })
    let reply = try await HTTP.get(url, headers: [("accept", "text/html")])
    #expect(reply.status == 400 && reply.location == nil)
    #expect(reply.contentType?.hasPrefix("text/html") == true)
  }

  static let queried = "https://app.example.org/callback?foo=bar"

  @Test("oidcc-redirect-uri-query-OK")
  func redirectQuery() async throws {
    let dynamic = try await DynamicParty(harness, ["redirect_uris": [.string(Self.queried)]])
    let (_, back) = try await dynamic.party.browser.open(
      dynamic.party.url(DynamicParty.proof.merging(["prompt": "none"]) { $1 }))
    #expect(back.locationParameter("foo") == "bar")
    let signIn = try await dynamic.signIn()
    #expect(signIn.claims["sub"] != nil)
  }

  private func refused(_ registered: String, _ requested: String) async throws {
    let dynamic = try await DynamicParty(harness, ["redirect_uris": [.string(registered)]])
    let reply = try await HTTP.get(
      dynamic.party.url(DynamicParty.proof.merging(["redirect_uri": requested]) { $1 }),
      headers: [("accept", "text/html")])
    #expect(reply.status == 400 && reply.location == nil)
    #expect(reply.contentType?.hasPrefix("text/html") == true)
  }

  @Test("oidcc-redirect-uri-query-mismatch")
  func redirectQueryMismatch() async throws {
    try await refused(Self.queried, "https://app.example.org/callback?foo=baz")
  }

  @Test("oidcc-redirect-uri-query-added")
  func redirectQueryAdded() async throws {
    try await refused(DynamicParty.redirectURI, Self.queried)
  }

  @Test("oidcc-request-uri-unsigned")
  func requestUnsigned() async throws {
    try await LoopbackServer.run { server in
      let address = "\(server.address)/request"
      server.publish(
        try RequestObjectText(["nonce": "inside"]).unsigned, type: "application/jwt",
        at: "/request")
      let dynamic = try await DynamicParty(
        harness, ["request_object_signing_alg": "none", "request_uris": [.string(address)]])
      let signIn = try await dynamic.signIn(["request_uri": address, "nonce": "outside"])
      #expect(signIn.claims["nonce"] == "inside")
    }
  }

  @Test("oidcc-request-uri-signed-rs256")
  func requestSigned() async throws {
    try await LoopbackServer.run { server in
      let address = "\(server.address)/request"
      let dynamic = try await DynamicParty(
        harness, ["request_object_signing_alg": "RS256", "request_uris": [.string(address)]])
      server.publish(
        try RequestObjectText([
          "iss": .string(dynamic.party.application.id), "aud": .string(dynamic.tenant.issuer),
          "nonce": "inside", "client_id": .string(dynamic.party.application.id),
          "response_type": "code",
        ]).signed(dynamic.key), type: "application/oauth-authz-req+jwt", at: "/request")
      let signIn = try await dynamic.signIn(["request_uri": address, "nonce": "outside"])
      #expect(signIn.claims["nonce"] == "inside")
      // Signed by somebody else.
      server.publish(
        try RequestObjectText(["nonce": "forged"]).signed(TestKey(.rs256)),
        type: "application/jwt", at: "/forged")
      let forged = try await dynamic.authorize(["request_uri": "\(server.address)/forged"])
      #expect(forged.error == "invalid_request_uri")
    }
  }

  @Test("oidcc-ensure-request-object-with-redirect-uri")
  func redirectInside() async throws {
    let dynamic = try await DynamicParty(harness)
    let object = try RequestObjectText(["redirect_uri": .string(DynamicParty.redirectURI)])
      .signed(dynamic.key)
    let answer = try await dynamic.authorize([
      "request": object, "redirect_uri": "https://evil.example/callback",
    ])
    #expect(answer.code != nil)
  }

  @Test("oidcc-refresh-token")
  func refresh() async throws {
    let dynamic = try await DynamicParty(harness)
    let first = try await dynamic.signIn([
      "scope": "openid offline_access", "prompt": "consent",
    ])
    let token = try #require(first.tokens["refresh_token"]?.stringValue)
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)]
    let other = try await DynamicParty(harness, tenant: dynamic.tenant)
    #expect(try await other.token(form).json["error"] == "invalid_grant")
    let reply = try await dynamic.token(form)
    #expect(reply.status == 200)
    let claims = try await dynamic.tenant.verified(
      reply.json["id_token"]?.stringValue ?? "", type: "JWT")
    #expect(
      claims["sub"] == first.claims["sub"] && claims["auth_time"] == first.claims["auth_time"])
  }

  /// The suite waits a minute, so that caches may expire; here the new `kid` alone must do.
  @Test("oidcc-refresh-token-rp-key-rotation")
  func keyRotation() async throws {
    try await LoopbackServer.run { server in
      let old = try TestKey(.rs256)
      server.publish(old.set, at: "/jwks")
      var dynamic = try await DynamicParty(
        harness, ["jwks": .null, "jwks_uri": .string("\(server.address)/jwks")], key: old)
      let first = try await dynamic.signIn(["scope": "openid offline_access"])
      dynamic.key = try TestKey(.rs256)
      server.publish(dynamic.key.set, at: "/jwks")
      let reply = try await dynamic.token([
        ("grant_type", "refresh_token"),
        ("refresh_token", first.tokens["refresh_token"]?.stringValue ?? ""),
      ])
      #expect(reply.status == 200)
    }
  }

  @Test("oidcc-ensure-client-assertion-with-iss-aud-succeeds")
  func assertionForIssuer() async throws {
    let dynamic = try await DynamicParty(harness)
    let answer = try await dynamic.authorize()
    #expect(try await dynamic.redeem(answer.code).status == 200)
  }
}
