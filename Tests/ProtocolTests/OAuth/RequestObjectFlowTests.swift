import Cryptography
import Foundation
import JOSE
import NIOHTTP1
import Platform
import Testing

@Suite("OpenID Connect Core section 6, RFC 9101: request objects over HTTP")
struct RequestObjectFlowTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test(
    "By value, signed by each algorithm",
    arguments: [SignatureAlgorithm.rs256, .ps256, .es256, .es384, .edDSA])
  func algorithms(_ algorithm: SignatureAlgorithm) async throws {
    let key = try TestKey(algorithm)
    let party = try await RelyingParty(
      harness, .query,
      [
        "jwks": key.set,
        "request_object_signing_alg": .string(algorithm.rawValue),
      ])
    let now = Int(Date().timeIntervalSince1970)
    let object = try RequestObjectText([
      "iss": .string(party.application.id), "aud": .strings([party.tenant.issuer, "other"]),
      "iat": .integer(now), "nbf": .integer(now), "exp": .integer(now + 60),
      "scope": "openid email", "nonce": "inside", "max_age": 10_000,
      "claims": ["id_token": ["email": ["essential": true]]],
    ]).signed(key)
    let signIn = try await party.signIn(["request": object, "scope": "openid phone"])
    #expect(signIn.claims["nonce"] == "inside")
    #expect(signIn.claims["email"]?.stringValue == party.person.email)
    #expect(signIn.tokens["scope"] == "openid email")
  }

  @Test("What an object is refused for; never ignored")
  func refusals() async throws {
    let (key, other) = (try TestKey(.es256), try TestKey(.es256))
    let party = try await RelyingParty(harness, .query, ["jwks": key.set])
    let now = Int(Date().timeIntervalSince1970)
    let claims: [(String, JSONObject)] = [
      ("iss", ["iss": "other"]), ("aud", ["aud": "https://other.example"]),
      ("exp", ["exp": .integer(now - 60)]), ("nbf", ["nbf": .integer(now + 60)]),
      ("iat", ["iat": .integer(now + 60)]), ("client_id", ["client_id": "other"]),
      ("response_type", ["response_type": "token"]), ("nested", ["request": "x"]),
      ("nested by reference", ["request_uri": "https://app.example.org/x"]),
      ("a client assertion", ["sub": .string(party.application.id)]),
      ("types", ["state": 1]),
    ]
    for (name, claims) in claims {
      let answer = try await party.authorize(["request": RequestObjectText(claims).signed(key)])
      #expect(answer.error == "invalid_request_object", "\(name)")
      #expect(answer.parameters["state"] == party.state, "\(name)")
    }
    let good = RequestObjectText(["nonce": "inside"])
    for (name, text) in [
      ("another key", try good.signed(other)), ("unsigned", try good.unsigned),
      ("another type", try good.signed(key, type: "at+jwt")), ("text", "x"),
      ("tampered", try good.signed(key).dropLast(4) + "AAAA"),
      ("HS256", try TestKey(secret: party.application.secret ?? "").sign(good.claims)),
    ] {
      #expect(
        try await party.authorize(["request": String(text)]).error == "invalid_request_object",
        "\(name)")
    }
    let both = try await party.authorize([
      "request": good.signed(key), "request_uri": "https://app.example.org/x",
    ])
    #expect(both.error == "invalid_request")
    // Without keys nothing can be verified.
    let keyless = party.with(try await RelyingParty.application(of: party.tenant))
    #expect(
      try await keyless.authorize(["request": good.signed(key)]).error == "invalid_request_object")
  }

  @Test("By reference: fetched once, checked against its digest, refused where it is not right")
  func references() async throws {
    try await LoopbackServer.run { server in
      let key = try TestKey(.es256)
      let party = try await RelyingParty(harness, .query, ["jwks": key.set])
      let object = try RequestObjectText(["nonce": "inside"]).signed(key)
      let digest = Base64URL.encode(SHA2.sha256(object))
      server.publish(object, type: "application/jwt", at: "/r")
      let pinned = "\(server.address)/r#\(digest)"
      #expect(try await party.signIn(["request_uri": pinned]).claims["nonce"] == "inside")
      #expect(try await party.signIn(["request_uri": pinned]).claims["nonce"] == "inside")
      #expect(server.received.count == 1)
      let wrong = Base64URL.encode(SHA2.sha256("other"))
      server.publish(String(repeating: "x", count: 64 * 1024), type: "text/plain", at: "/large")
      for uri in [
        "\(server.address)/r#\(wrong)", "\(server.address)/r#short", "\(server.address)/large",
        "https://10.0.0.1/r", "https://169.254.169.254/latest", "http://app.example.org/r",
        "urn:ietf:params:oauth:request_uri:x", "file:///etc/passwd",
      ] {
        #expect(
          try await party.authorize(["request_uri": uri]).error == "invalid_request_uri", "\(uri)")
      }
    }
  }

  @Test("An object that cannot be used and a redirect URI that is not registered make a page")
  func page() async throws {
    let party = try await RelyingParty(harness, .query)
    let reply = try await HTTP.get(
      party.url(["request": "x", "redirect_uri": "https://evil.example/"]),
      headers: [("accept", "text/html")])
    #expect(reply.status == 400 && reply.location == nil)
  }
}
