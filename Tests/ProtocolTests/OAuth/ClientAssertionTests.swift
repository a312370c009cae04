import NIOHTTP1
import Foundation
import JOSE
import NIOHTTP1
import Platform
import Testing

@Suite("OpenID Connect Core section 9, RFC 7523 section 3: clients that sign")
struct ClientAssertionTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  static let grant = [("grant_type", "client_credentials")]

  func service(_ tenant: TestTenant, _ changes: JSONObject) async throws -> TestApplication {
    let metadata: JSONObject = [
      "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "api:read",
    ]
    return try await tenant.application(metadata.merging(changes))
  }

  @Test(
    "private_key_jwt with every algorithm, for the issuer and for the token endpoint",
    arguments: [SignatureAlgorithm.rs256, .ps256, .es256, .es384, .edDSA])
  func privateKey(_ algorithm: SignatureAlgorithm) async throws {
    let (tenant, key) = (try await harness.tenant(), try TestKey(algorithm))
    let client = try await service(
      tenant, ["token_endpoint_auth_method": "private_key_jwt", "jwks": key.set])
    #expect(client.secret == nil)
    for audience in [tenant.issuer, "\(tenant.issuer)/oauth2/token"] {
      let assertion = try key.sign(TestKey.claims(client.id, client.id, for: audience))
      let reply = try await tenant.post("oauth2/token", Self.grant.with(assertion: assertion))
      #expect(reply.status == 200, "\(reply)")
      // The same assertion again (section 3): its jti was used.
      let again = try await tenant.post("oauth2/token", Self.grant.with(assertion: assertion))
      #expect(again.status == 401 && again.json["error"] == "invalid_client")
    }
  }

  @Test("client_secret_jwt signs with the secret, also after a rotation")
  func secret() async throws {
    let tenant = try await harness.tenant()
    let client = try await service(tenant, ["token_endpoint_auth_method": "client_secret_jwt"])
    let secret = try #require(client.secret)
    func tries(_ secret: String) async throws -> Int {
      let assertion = try TestKey(secret: secret)
        .sign(TestKey.claims(client.id, client.id, for: tenant.issuer))
      return try await tenant.post("oauth2/token", Self.grant.with(assertion: assertion)).status
    }
    #expect(try await tries(secret) == 200)
    #expect(try await tries(String(secret.reversed())) == 401)
    let rotated = try await harness.admin.document(
      .POST, "\(tenant.path)/clients/\(client.id)/secret")
    let fresh = try #require(rotated["client_secret"]?.stringValue)
    #expect(try await tries(fresh) == 200)
    #expect(try await tries(secret) == 401)
    // The secret itself is not what such a client sends.
    let sent = try await tenant.post(
      "oauth2/token", Self.grant + [("client_id", client.id), ("client_secret", fresh)])
    #expect(sent.status == 401)
  }

  @Test("oidcc-refresh-token-rp-key-rotation: keys at jwks_uri, fetched again for a new kid")
  func rotation() async throws {
    let tenant = try await harness.tenant()
    try await LoopbackServer.run { server in
      let (old, new) = (try TestKey(), try TestKey())
      server.publish(old.set, at: "/jwks")
      let client = try await service(
        tenant,
        [
          "token_endpoint_auth_method": "private_key_jwt",
          "jwks_uri": .string("\(server.address)/jwks"),
        ])
      func tries(_ key: TestKey) async throws -> Int {
        let assertion = try key.sign(TestKey.claims(client.id, client.id, for: tenant.issuer))
        return try await tenant.post("oauth2/token", Self.grant.with(assertion: assertion)).status
      }
      #expect(try await tries(old) == 200)
      #expect(try await tries(new) == 401)
      server.publish(new.set, at: "/jwks")
      #expect(try await tries(new) == 200)
      #expect(try await tries(old) == 401)
    }
  }

  struct Wrong: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var claims: JSONObject = [:]
    /// In seconds from now, which is when the test runs.
    var times: [String: Int] = [:]
    var type: String?

    var changes: JSONObject {
      let now = Int(Date().timeIntervalSince1970)
      return claims.merging(JSONObject(times.map { ($0.key, .integer(now + $0.value)) }))
    }
  }

  @Test(
    "Assertions that are refused, all in the same words",
    arguments: [
      Wrong(
        testDescription: "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails",
        times: ["exp": -300]),
      Wrong(testDescription: "no exp", claims: ["exp": .null]),
      Wrong(
        testDescription: "exp in a day",
        times: ["exp": 86_400]),
      Wrong(
        testDescription: "ensure-client-assertion-with-wrong-aud-fails",
        claims: ["aud": "https://elsewhere.example"]),
      Wrong(testDescription: "no aud", claims: ["aud": .null]),
      Wrong(testDescription: "ensure-client-assertion-with-no-sub-fails", claims: ["sub": .null]),
      Wrong(testDescription: "another sub", claims: ["sub": "somebody"]),
      Wrong(testDescription: "no iss", claims: ["iss": .null]),
      Wrong(testDescription: "no jti", claims: ["jti": .null]),
      Wrong(
        testDescription: "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails",
        times: ["nbf": 70]),
      Wrong(
        testDescription: "iat in the future",
        times: ["iat": 70]),
      Wrong(testDescription: "a request object", type: "oauth-authz-req+jwt"),
      Wrong(testDescription: "an access token", type: "at+jwt"),
    ])
  func wrong(_ wrong: Wrong) async throws {
    let (tenant, key) = (try await harness.tenant(), try TestKey())
    let client = try await service(
      tenant, ["token_endpoint_auth_method": "private_key_jwt", "jwks": key.set])
    let assertion = try key.sign(
      TestKey.claims(client.id, client.id, for: tenant.issuer, wrong.changes), type: wrong.type)
    let reply = try await tenant.post("oauth2/token", Self.grant.with(assertion: assertion))
    #expect(reply.status == 401 && reply.json["error"] == "invalid_client")
    let nobody = try key.sign(TestKey.claims("nobody", "nobody", for: tenant.issuer))
    let unknown = try await tenant.post("oauth2/token", Self.grant.with(assertion: nobody))
    #expect(unknown.body == reply.body && unknown.status == reply.status)
  }

  @Test("par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted")
  func skew() async throws {
    let (tenant, key) = (try await harness.tenant(), try TestKey())
    let client = try await service(
      tenant, ["token_endpoint_auth_method": "private_key_jwt", "jwks": key.set])
    let soon: JSON = .integer(Int(Date().timeIntervalSince1970) + 8)
    let assertion = try key.sign(
      TestKey.claims(client.id, client.id, for: tenant.issuer, ["nbf": soon, "iat": soon]))
    #expect(
      try await tenant.post("oauth2/token", Self.grant.with(assertion: assertion)).status == 200)
  }

  @Test("Only the registered algorithm, only the registered method, only one method")
  func strict() async throws {
    let (tenant, key, rsa) = (try await harness.tenant(), try TestKey(), try TestKey(.rs256))
    let client = try await service(
      tenant,
      [
        "token_endpoint_auth_method": "private_key_jwt", "jwks": ["keys": [key.jwk, rsa.jwk]],
        "token_endpoint_auth_signing_alg": "ES256",
      ])
    func assertion(_ key: TestKey) throws -> String {
      try key.sign(TestKey.claims(client.id, client.id, for: tenant.issuer))
    }
    let wrongAlgorithm = try await tenant.post(
      "oauth2/token", Self.grant.with(assertion: assertion(rsa)))
    #expect(wrongAlgorithm.json["error"] == "invalid_client")
    let stranger = try await tenant.post(
      "oauth2/token", Self.grant.with(assertion: assertion(TestKey())))
    #expect(stranger.json["error"] == "invalid_client")
    let other = try await service(tenant, [:])
    let bySecretClient = try key.sign(TestKey.claims(other.id, other.id, for: tenant.issuer))
    #expect(
      try await tenant.post("oauth2/token", Self.grant.with(assertion: bySecretClient)).status
        == 401)
    let twice = try await tenant.post(
      "oauth2/token", Self.grant.with(assertion: assertion(key)), headers: [other.basic])
    #expect(twice.status == 400 && twice.json["error"] == "invalid_request")
    let otherType = try await tenant.post(
      "oauth2/token",
      Self.grant + [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
        ("client_assertion", try assertion(key)),
      ])
    #expect(otherType.status == 401)
    let half = try await tenant.post(
      "oauth2/token", Self.grant + [("client_assertion", try assertion(key))])
    #expect(half.status == 400 && half.json["error"] == "invalid_request")
    let mismatch = try await tenant.post(
      "oauth2/token",
      Self.grant.with(assertion: try assertion(key)) + [("client_id", other.id)])
    #expect(mismatch.status == 400 && mismatch.json["error"] == "invalid_request")
  }

  @Test("An unknown client, a wrong secret and a disabled client are answered by the same bytes")
  func indistinguishable() async throws {
    let tenant = try await harness.tenant()
    let (client, disabled) = (try await service(tenant, [:]), try await service(tenant, [:]))
    let spa = try await tenant.application(["token_endpoint_auth_method": "none"])
    try await harness.admin.document(.DELETE, "\(tenant.path)/clients/\(disabled.id)")
    var bodies: Set<[UInt8]> = []
    for (id, secret) in [
      (client.id, "wrong"), ("nobody", "wrong"), (disabled.id, disabled.secret ?? ""),
      (spa.id, "wrong"), (UUID().uuidString.lowercased(), "wrong"),
    ] {
      for endpoint in ["oauth2/token", "oauth2/introspect", "oauth2/revoke", "oauth2/device"] {
        let reply = try await tenant.post(
          endpoint, Self.grant + [("client_id", id), ("client_secret", secret), ("token", "x")])
        #expect(reply.status == 401)
        bodies.insert(reply.body)
      }
    }
    #expect(bodies.count == 1)
  }
}
