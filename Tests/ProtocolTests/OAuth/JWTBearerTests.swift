import Foundation
import JOSE
import NIOHTTP1
import Platform
import Testing

@Suite("RFC 7523 section 2.1: assertions of trusted issuers as grants")
struct JWTBearerTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  static let grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
  static let issuer = "https://partner.example"
  static let api = "https://api.example.org/"

  struct Scene: Sendable {
    let tenant: TestTenant
    let client: TestApplication
    let key: TestKey

    func present(_ assertion: String, _ form: [(String, String)] = []) async throws -> Reply {
      try await tenant.post(
        "oauth2/token",
        [("grant_type", JWTBearerTests.grantType), ("assertion", assertion)] + form,
        headers: [client.basic])
    }

    func assertion(_ subject: String, _ changes: JSONObject = [:], type: String? = nil) throws
      -> String
    {
      try key.sign(
        TestKey.claims(JWTBearerTests.issuer, subject, for: tenant.issuer, changes), type: type)
    }
  }

  func scene(_ trust: JSONObject = [:]) async throws -> Scene {
    let (tenant, key) = (try await harness.tenant(), try TestKey())
    let client = try await tenant.application([
      "grant_types": [.string(Self.grantType)], "redirect_uris": [],
      "scope": "openid email offline_access api:read", "resources": [.string(Self.api)],
    ])
    var body: JSONObject = [
      "issuer": .string(Self.issuer), "uses": ["jwt_bearer"], "jwks": key.set,
    ]
    for (name, value) in trust { body[name] = value }
    try await harness.admin.document(.POST, "\(tenant.path)/trusted-issuers", .object(body))
    return Scene(tenant: tenant, client: client, key: key)
  }

  @Test(
    "A user by sub, username or email",
    arguments: ["sub", "username", "email"])
  func user(_ mapping: String) async throws {
    let scene = try await scene(["subject": .string(mapping)])
    let person = try await scene.tenant.person()
    let name =
      switch mapping {
      case "sub": person.id
      case "username": person.username
      default: person.email
      }
    let reply = try await scene.present(scene.assertion(name), [("scope", "openid email")])
    #expect(reply.status == 200, "\(reply)")
    #expect(reply.json["refresh_token"] == nil && reply.json["scope"] == "openid email")
    let userinfo = try await scene.tenant.userinfo(reply.json["access_token"])
    #expect(userinfo.json["sub"]?.stringValue == person.id)
    #expect(try await scene.tenant.events("token.assertion_accepted").count == 1)
    #expect(
      try await scene.present(scene.assertion("nobody")).json["error"] == "invalid_grant")
    try await harness.admin.document(
      .PATCH, "\(scene.tenant.path)/users/\(person.id)", ["status": "disabled"])
    #expect(try await scene.tenant.userinfo(reply.json["access_token"]).status == 401)
    #expect(
      try await scene.present(scene.assertion(name)).json["error"] == "invalid_grant")
  }

  @Test("RFC 9470: an organization may want people to have signed in themselves")
  func stepUp() async throws {
    let scene = try await scene()
    let person = try await scene.tenant.person()
    try await scene.tenant.settings(["userinfo_acr_values": ["urn:tenure:acr:password"]])
    let reply = try await scene.present(scene.assertion(person.id), [("scope", "openid")])
    let userinfo = try await scene.tenant.userinfo(reply.json["access_token"])
    #expect(userinfo.status == 401)
    #expect(
      userinfo.headers.first(name: "www-authenticate")?
        .contains("acr_values=\"urn:tenure:acr:password\"") == true)
  }

  @Test("The client itself")
  func client() async throws {
    let scene = try await scene(["subject": "client_id", "scope": "api:read"])
    let reply = try await scene.present(scene.assertion(scene.client.id))
    #expect(reply.status == 200 && reply.json["scope"] == "api:read", "\(reply)")
    let claims = try ReadToken(reply.json["access_token"]?.stringValue).claims
    #expect(claims["sub"]?.stringValue == scene.client.id && claims["auth_time"] == nil)
    let other = try await scene.present(scene.assertion("somebody"))
    #expect(other.json["error"] == "invalid_grant")
  }

  @Test(
    "RFC 8707: tokens are for the resource that is asked for; a refusal uses no assertion up",
    arguments: ["sub", "client_id"])
  func resource(_ subject: String) async throws {
    let scene = try await scene(["subject": .string(subject)])
    let name = subject == "sub" ? try await scene.tenant.person().id : scene.client.id
    let assertion = try scene.assertion(name)
    for unknown in ["https://other.example/", "\(Self.api)#x", "api"] {
      let reply = try await scene.present(assertion, [("resource", unknown)])
      #expect(
        reply.status == 400 && reply.json["error"] == "invalid_target", "\(unknown): \(reply)")
    }
    let reply = try await scene.present(assertion, [("resource", Self.api)])
    let claims = try ReadToken(reply.json["access_token"]?.stringValue).claims
    #expect(claims["aud"]?.stringValue == Self.api, "\(reply)")
    #expect(try await scene.tenant.userinfo(reply.json["access_token"]).status == 401)
  }

  @Test("An assertion counts once, and not at another organization")
  func replay() async throws {
    let (scene, other) = (try await scene(), try await scene())
    let person = try await scene.tenant.person()
    let assertion = try scene.assertion(person.id)
    #expect(try await scene.present(assertion).status == 200)
    #expect(try await scene.present(assertion).json["error"] == "invalid_grant")
    let elsewhere = try await other.present(assertion)
    #expect(elsewhere.json["error"] == "invalid_grant")
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
    "Section 3: assertions that are refused",
    arguments: [
      Wrong(testDescription: "unknown issuer", claims: ["iss": "https://other.example"]),
      Wrong(testDescription: "no issuer", claims: ["iss": .null]),
      Wrong(testDescription: "another audience", claims: ["aud": "https://other.example"]),
      Wrong(testDescription: "no audience", claims: ["aud": .null]),
      Wrong(testDescription: "no sub", claims: ["sub": .null]),
      Wrong(testDescription: "no jti", claims: ["jti": .null]),
      Wrong(testDescription: "no exp", claims: ["exp": .null]),
      Wrong(
        testDescription: "expired",
        times: ["exp": -60]),
      Wrong(
        testDescription: "for tomorrow",
        times: ["exp": 86_400]),
      Wrong(
        testDescription: "not yet",
        times: ["nbf": 60]),
      Wrong(testDescription: "another kind of token", type: "at+jwt"),
    ])
  func refuses(_ wrong: Wrong) async throws {
    let scene = try await scene()
    let person = try await scene.tenant.person()
    let reply = try await scene.present(
      scene.assertion(person.id, wrong.changes, type: wrong.type))
    #expect(reply.status == 400 && reply.json["error"] == "invalid_grant", "\(reply)")
  }

  @Test("Only by clients the issuer is trusted for, only so much scope, only with a right key")
  func bounds() async throws {
    let scene = try await scene(["scope": "openid", "audiences": ["https://sts.example"]])
    let person = try await scene.tenant.person()
    let wide = try await scene.present(scene.assertion(person.id), [("scope", "openid email")])
    #expect(wide.status == 400 && wide.json["error"] == "invalid_scope")
    let ours = try await scene.present(
      scene.assertion(person.id, ["aud": "https://sts.example"]))
    #expect(ours.status == 200)
    let forged = try TestKey().sign(
      TestKey.claims(Self.issuer, person.id, for: scene.tenant.issuer))
    #expect(try await scene.present(forged).json["error"] == "invalid_grant")
    #expect(try await scene.present("x").json["error"] == "invalid_grant")
    let missing = try await scene.tenant.post(
      "oauth2/token", [("grant_type", Self.grantType)], headers: [scene.client.basic])
    #expect(missing.json["error"] == "invalid_request")
    let narrow = try await self.scene(["client_ids": ["somebody-else"]])
    let stranger = try await narrow.tenant.person()
    #expect(
      try await narrow.present(narrow.assertion(stranger.id)).json["error"] == "invalid_grant")
    let statements = try await self.scene(["uses": ["software_statement"]])
    let user = try await statements.tenant.person()
    #expect(
      try await statements.present(statements.assertion(user.id)).json["error"] == "invalid_grant")
  }

  @Test("Keys of the issuer at jwks_uri")
  func published() async throws {
    try await LoopbackServer.run { server in
      let (tenant, key) = (try await harness.tenant(), try TestKey(.rs256))
      server.publish(key.set, at: "/jwks")
      let client = try await tenant.application([
        "grant_types": [.string(Self.grantType)], "redirect_uris": [], "scope": "openid",
      ])
      try await harness.admin.document(
        .POST, "\(tenant.path)/trusted-issuers",
        [
          "issuer": .string(Self.issuer), "uses": ["jwt_bearer"],
          "jwks_uri": .string("\(server.address)/jwks"),
        ])
      let scene = Scene(tenant: tenant, client: client, key: key)
      #expect(try await scene.present(scene.assertion(tenant.person().id)).status == 200)
    }
  }

  @Test("Trusted issuers are administered, and their trail tells of it")
  func administration() async throws {
    let scene = try await scene()
    let list = "\(scene.tenant.path)/trusted-issuers"
    let page = try await harness.admin.document(.GET, list)
    let issuer = try #require(page["trusted_issuers"]?.arrayValue?.first)
    let one = "\(list)/\(issuer["id"]?.stringValue ?? "")"
    let duplicate = try await harness.admin.call(
      .POST, list,
      ["issuer": .string(Self.issuer), "uses": ["jwt_bearer"], "jwks": scene.key.set])
    #expect(duplicate.isProblem(409))
    let found = try await harness.admin.call(.GET, one)
    let etag = try #require(found.headers.first(name: "etag"))
    let changed = try await harness.admin.call(
      .PUT, one, ["uses": ["software_statement"], "jwks": scene.key.set],
      headers: [("if-match", etag)])
    #expect(changed.status == 200 && changed.json["uses"] == ["software_statement"])
    let stale = try await harness.admin.call(
      .PUT, one, ["uses": ["jwt_bearer"], "jwks": scene.key.set], headers: [("if-match", etag)])
    #expect(stale.isProblem(412))
    for invalid in [
      InvalidBody(["issuer": "x"], ["uses", "jwks"]),
      InvalidBody(["issuer": "x", "uses": ["other"], "jwks": scene.key.set], ["uses"]),
      InvalidBody(
        ["issuer": "x", "uses": ["jwt_bearer"], "jwks": ["keys": [["kty": "oct", "k": "AAAA"]]]],
        ["jwks"]),
      InvalidBody(
        ["issuer": "x", "uses": ["jwt_bearer"], "jwks_uri": "http://example.com"], ["jwks_uri"]),
      InvalidBody(
        ["uses": ["jwt_bearer"], "jwks": scene.key.set, "colour": "red"], ["issuer", "colour"]),
    ] {
      let reply = try await harness.admin.call(.POST, list, invalid.body)
      #expect(reply.isProblem(422), "\(invalid.body): \(reply)")
    }
    #expect(try await harness.admin.call(.DELETE, one).status == 204)
    #expect(try await harness.admin.call(.DELETE, one).isProblem(404))
    for action in ["created", "updated", "deleted"] {
      #expect(try await scene.tenant.events("trusted_issuer.\(action)").count == 1)
    }
  }
}
