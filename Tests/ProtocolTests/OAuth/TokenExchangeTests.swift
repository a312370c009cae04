import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("RFC 8693: token exchange")
struct TokenExchangeTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  static let grantType = "urn:ietf:params:oauth:grant-type:token-exchange"
  static let accessToken = "urn:ietf:params:oauth:token-type:access_token"
  static let idToken = "urn:ietf:params:oauth:token-type:id_token"

  /// A person signed in to a web application, and a service behind it.
  struct Scene: Sendable {
    let tenant: TestTenant
    let person: TestPerson
    let request: AuthorizationRequest
    let tokens: JSON
    let service: TestApplication

    func exchange(_ form: [(String, String)] = [], token: String? = nil, type: String? = nil)
      async throws -> Reply
    {
      let subject = token ?? tokens["access_token"]?.stringValue ?? ""
      return try await tenant.post(
        "oauth2/token",
        [
          ("grant_type", TokenExchangeTests.grantType), ("subject_token", subject),
          ("subject_token_type", type ?? TokenExchangeTests.accessToken),
        ] + form, headers: [service.basic])
    }

    func claims(_ reply: Reply) throws -> JSON {
      try ReadToken(reply.json["access_token"]?.stringValue).claims
    }
  }

  func scene(_ policy: JSONObject? = ["subject_clients": ["*"]]) async throws -> Scene {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let person = try await tenant.person()
    var metadata: JSONObject = [
      "grant_types": [.string(Self.grantType), "client_credentials"], "redirect_uris": [],
      "scope": "openid email api:read",
    ]
    metadata["token_exchange"] = policy.map(JSON.object)
    return Scene(
      tenant: tenant, person: person, request: request, tokens: try await request.tokens(person),
      service: try await tenant.application(metadata))
  }

  @Test("Delegation: the subject stays, the service is the actor, the scope narrows")
  func delegation() async throws {
    let scene = try await scene()
    let reply = try await scene.exchange()
    #expect(reply.status == 200, "\(reply)")
    #expect(reply.json["issued_token_type"]?.stringValue == Self.accessToken)
    #expect(reply.json["token_type"] == "Bearer" && reply.json["refresh_token"] == nil)
    #expect(reply.json["scope"] == "openid email")
    let claims = try scene.claims(reply)
    let subject = try ReadToken(scene.tokens["access_token"]?.stringValue).claims
    #expect(claims["sub"] == subject["sub"])
    #expect(claims["client_id"]?.stringValue == scene.service.id)
    #expect(claims["act"]?["sub"]?.stringValue == scene.service.id)
    #expect((claims["exp"]?.integerValue ?? .max) <= (subject["exp"]?.integerValue ?? 0))
    #expect(try await scene.tenant.userinfo(reply.json["access_token"]).status == 200)
    let described = try await scene.tenant.introspect(
      reply.json["access_token"], by: scene.service)
    #expect(described["active"] == true && described["act"] == claims["act"])
    #expect(described["username"] == nil)
    let narrow = try await scene.exchange([("scope", "openid")])
    #expect(narrow.json["scope"] == "openid")
    let event = try #require(try await scene.tenant.events("token.exchanged").first)
    #expect(event["detail"]?["actors"] == [.string(scene.service.id)])
  }

  @Test("Chains of actors are kept, and end somewhere")
  func chain() async throws {
    let scene = try await scene()
    var token: String?
    for depth in 1...5 {
      let reply = try await scene.exchange(token: token)
      let claims = try scene.claims(reply)
      var (act, count) = (claims["act"], 0)
      while let actor = act {
        count += 1
        act = actor["act"]
      }
      #expect(count == depth)
      token = reply.json["access_token"]?.stringValue
    }
    #expect(try await scene.exchange(token: token).json["error"] == "invalid_request")
  }

  @Test("Claims the subject's client asked for by name are not passed on")
  func claims() async throws {
    let tenant = try await harness.tenant()
    let party = RelyingParty(
      mode: .query, tenant: tenant, application: try await RelyingParty.application(of: tenant),
      person: try await tenant.person())
    let signIn = try await party.signIn([
      "claims": #"{"userinfo":{"email":null}}"#
    ])
    let service = try await tenant.application([
      "grant_types": [.string(Self.grantType)], "redirect_uris": [], "scope": "openid",
      "token_exchange": ["subject_clients": ["*"]],
    ])
    let exchanged = try await tenant.post(
      "oauth2/token",
      [
        ("grant_type", Self.grantType), ("subject_token_type", Self.accessToken),
        ("subject_token", signIn.accessToken?.stringValue ?? ""),
      ], headers: [service.basic])
    #expect(try await tenant.userinfo(signIn.accessToken).json["email"] != nil)
    let userinfo = try await tenant.userinfo(exchanged.json["access_token"])
    #expect(userinfo.status == 200 && userinfo.json["email"] == nil, "\(userinfo)")
  }

  @Test("Impersonation only by policy; an actor token makes it delegation again")
  func impersonation() async throws {
    let scene = try await scene(["subject_clients": ["*"], "impersonation": true])
    let reply = try await scene.exchange()
    #expect(try scene.claims(reply)["act"] == nil)
    let own = try await scene.tenant.post(
      "oauth2/token", [("grant_type", "client_credentials")], headers: [scene.service.basic])
    let actor = [
      ("actor_token", own.json["access_token"]?.stringValue ?? ""),
      ("actor_token_type", Self.accessToken),
    ]
    let delegated = try await scene.exchange(actor)
    #expect(try scene.claims(delegated)["act"]?["sub"]?.stringValue == scene.service.id)
    let stolen = [
      ("actor_token", scene.tokens["access_token"]?.stringValue ?? ""),
      ("actor_token_type", Self.accessToken),
    ]
    #expect(try await scene.exchange(stolen).json["error"] == "invalid_request")
  }

  @Test("ID tokens and plain JWTs of ours are subjects, too")
  func idTokens() async throws {
    let scene = try await scene()
    let idToken = try #require(scene.tokens["id_token"]?.stringValue)
    for type in [Self.idToken, "urn:ietf:params:oauth:token-type:jwt"] {
      let reply = try await scene.exchange(token: idToken, type: type)
      #expect(reply.status == 200, "\(reply)")
      #expect(try scene.claims(reply)["sub"]?.stringValue == scene.person.id)
    }
    #expect(
      try await scene.exchange(token: idToken, type: Self.accessToken).json["error"]
        == "invalid_request")
  }

  @Test("What was exchanged ends with the subject's grant, and a dead subject is no subject")
  func ends() async throws {
    let scene = try await scene()
    let exchanged = try await scene.exchange().json["access_token"]
    #expect(try await scene.tenant.userinfo(exchanged).status == 200)
    let revoked = try await scene.tenant.post(
      "oauth2/revoke", [("token", scene.tokens["refresh_token"]?.stringValue ?? "")],
      headers: [scene.request.application.basic])
    #expect(revoked.status == 200)
    #expect(try await scene.tenant.userinfo(exchanged).status == 401)
    #expect(
      try await scene.tenant.introspect(exchanged, by: scene.service) == ["active": false])
    #expect(try await scene.exchange().json["error"] == "invalid_request")
    let idToken = scene.tokens["id_token"]?.stringValue
    #expect(
      try await scene.exchange(token: idToken, type: Self.idToken).json["error"]
        == "invalid_request")
  }

  @Test(
    "What was exchanged ends with the subject's token, also where no grant stands behind it",
    arguments: ["a person's", "a client's"], ["the token", "its client", "the service in between"])
  func lineage(_ subject: String, _ revoked: String) async throws {
    let scene = try await scene()
    let tenant = scene.tenant
    let web = scene.request.application
    var (owner, token) = (web, scene.tokens["access_token"])
    if subject == "a client's" {
      owner = try await tenant.application([
        "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "api:read",
      ])
      token = try await tenant.post(
        "oauth2/token", [("grant_type", "client_credentials")], headers: [owner.basic]
      ).json["access_token"]
    }
    let last = try await tenant.application([
      "grant_types": [.string(Self.grantType)], "redirect_uris": [], "scope": "openid api:read",
      "token_exchange": ["subject_clients": ["*"]],
    ])
    let between = try await scene.exchange(token: token?.stringValue).json["access_token"]
    let form = [
      ("grant_type", Self.grantType), ("subject_token", between?.stringValue ?? ""),
      ("subject_token_type", Self.accessToken),
    ]
    let exchanged = try await tenant.post("oauth2/token", form, headers: [last.basic])
    let final = exchanged.json["access_token"]
    #expect(try await tenant.introspect(final, by: last)["active"] == true, "\(exchanged)")
    switch revoked {
    case "the token":
      let reply = try await tenant.post(
        "oauth2/revoke", [("token", token?.stringValue ?? "")], headers: [owner.basic])
      #expect(reply.status == 200)
    default:
      let client = revoked == "its client" ? owner : scene.service
      let reply = try await harness.admin.call(
        .DELETE, "\(tenant.path)/clients/\(client.id)/grants")
      #expect(reply.status < 300, "\(reply)")
    }
    #expect(try await tenant.introspect(final, by: last) == ["active": false])
    #expect(try await tenant.introspect(between, by: scene.service) == ["active": false])
    #expect(try await tenant.userinfo(final).status >= 400)
    let again = try await tenant.post("oauth2/token", form, headers: [last.basic])
    #expect(again.json["error"] == "invalid_request")
  }

  @Test("Audiences by policy")
  func audiences() async throws {
    let scene = try await scene([
      "subject_clients": ["*"], "audiences": ["https://api.example", "billing"],
    ])
    let reply = try await scene.exchange([
      ("audience", "billing"), ("resource", "https://api.example"),
    ])
    #expect(try scene.claims(reply)["aud"] == ["billing", "https://api.example"])
    #expect(try await scene.tenant.userinfo(reply.json["access_token"]).status == 401)
    let described = try await scene.tenant.introspect(
      reply.json["access_token"], by: scene.service)
    #expect(described["active"] == true)
    // Who got a token for the API only gets none for the issuer by leaving the target out.
    let widened = try await scene.exchange(token: reply.json["access_token"]?.stringValue)
    #expect(widened.status == 400 && widened.json["error"] == "invalid_target", "\(widened)")
    let other = try await scene.exchange([("audience", "payroll")])
    #expect(other.status == 400 && other.json["error"] == "invalid_target")
  }

  @Test("Refusals")
  func refusals() async throws {
    let scene = try await scene()
    for (form, error) in [
      ([("scope", "openid api:read")], "invalid_scope"),
      ([("scope", "openid phone")], "invalid_scope"),
      ([("requested_token_type", Self.idToken)], "invalid_request"),
      ([("requested_token_type", "urn:x")], "invalid_request"),
      ([("actor_token", "x")], "invalid_request"),
      ([("actor_token", "x"), ("actor_token_type", Self.accessToken)], "invalid_request"),
    ] {
      let reply = try await scene.exchange(form)
      #expect(reply.status == 400 && reply.json["error"]?.stringValue == error, "\(form): \(reply)")
    }
    #expect(try await scene.exchange(token: "x").json["error"] == "invalid_request")
    #expect(try await scene.exchange(type: "urn:x").json["error"] == "invalid_request")
    let elsewhere = try await self.scene()
    #expect(
      try await scene.exchange(token: elsewhere.tokens["access_token"]?.stringValue)
        .json["error"] == "invalid_request")
    let missing = try await scene.tenant.post(
      "oauth2/token", [("grant_type", Self.grantType)], headers: [scene.service.basic])
    #expect(missing.json["error"] == "invalid_request")
  }

  @Test("Nothing without a policy, and nothing beyond it")
  func policy() async throws {
    let none = try await scene(nil)
    #expect(try await none.exchange().json["error"] == "unauthorized_client")
    let others = try await scene(["subject_clients": ["somebody-else"]])
    #expect(try await others.exchange().json["error"] == "invalid_request")
  }
}
