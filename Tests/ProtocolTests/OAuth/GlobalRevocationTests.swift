import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite(
  "Revocation beyond one token, and who may ask about tokens (RFC 7009, RFC 7662, draft-parecki)")
struct GlobalRevocationTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  struct Guard: Sendable {
    let tenant: TestTenant
    let token: String

    func revoke(_ body: JSON, token: String? = nil) async throws -> Reply {
      try await HTTP.send(
        .POST, "\(tenant.issuer)/oauth2/global-token-revocation",
        headers: [
          ("authorization", "Bearer \(token ?? self.token)"), ("content-type", "application/json"),
        ], body: body.encoded())
    }
  }

  func trusted(_ tenant: TestTenant, scope: String = "global_token_revocation") async throws
    -> Guard
  {
    let service = try await tenant.application([
      "grant_types": ["client_credentials"], "redirect_uris": [], "scope": .string(scope),
    ])
    let reply = try await tenant.post(
      "oauth2/token", [("grant_type", "client_credentials")], headers: [service.basic])
    return Guard(
      tenant: tenant, token: try #require(reply.json["access_token"]?.stringValue))
  }

  @Test(
    "Everything of the user ends at once, by every format of subject identifier",
    arguments: ["iss_sub", "email", "opaque"])
  func ends(_ format: String) async throws {
    let tenant = try await harness.tenant()
    let trusted = try await trusted(tenant)
    let (person, other) = (try await tenant.person(), try await tenant.person())
    let (browser, request) = (
      Browser(), AuthorizationRequest(tenant, try await tenant.application())
    )
    let tokens = try await request.tokens(person, with: browser)
    let others = try await request.tokens(other)
    let identifier: JSONObject =
      switch format {
      case "iss_sub": ["iss": .string(tenant.issuer), "sub": .string(person.id)]
      case "email": ["email": .string(person.email)]
      default: ["id": .string(person.id)]
      }
    let reply = try await trusted.revoke([
      "sub_id": .object(identifier.merging(["format": .string(format)]))
    ])
    #expect(reply.status == 204 && reply.body.isEmpty, "\(reply)")
    #expect(try await tenant.userinfo(tokens["access_token"]).status == 401)
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    #expect(try await request.refresh(refresh).json["error"] == "invalid_grant")
    let visit = try await browser.open(request.url)
    #expect(visit.reply.text.contains("id=\"password\""))
    #expect(try await tenant.userinfo(others["access_token"]).status == 200)
    #expect(try await tenant.events("user.access_revoked").count == 1)
  }

  @Test("Refusals")
  func refusals() async throws {
    let tenant = try await harness.tenant()
    let trusted = try await trusted(tenant)
    for body: JSON in [
      [:], ["sub_id": 1], ["sub_id": ["format": "email"]], ["sub_id": ["format": "did"]],
      ["sub_id": ["format": "iss_sub", "iss": "x"]],
    ] {
      let reply = try await trusted.revoke(body)
      #expect(reply.status == 400 && reply.json["error"] == "invalid_request", "\(reply)")
    }
    for identifier: JSONObject in [
      ["format": "email", "email": "nobody@example.org"], ["format": "opaque", "id": "x"],
      ["format": "iss_sub", "iss": "https://other.example", "sub": "x"],
    ] {
      #expect(try await trusted.revoke(["sub_id": .object(identifier)]).status == 404)
    }
    let anonymous = try await HTTP.send(
      .POST, "\(tenant.issuer)/oauth2/global-token-revocation", body: [])
    #expect(anonymous.status == 401)
    #expect(try await trusted.revoke([:], token: "x").status == 401)
    let narrow = try await self.trusted(tenant, scope: "api:read")
    let denied = try await narrow.revoke([:])
    #expect(denied.status == 403)
    #expect(
      denied.headers.first(name: "www-authenticate")?.contains("insufficient_scope") == true)
  }

  @Test(
    "A person's token is refused, also where its subject is pairwise",
    arguments: ["public", "pairwise"])
  func person(_ subjectType: String) async throws {
    let tenant = try await harness.tenant()
    var request = AuthorizationRequest(
      tenant,
      try await tenant.application([
        "subject_type": .string(subjectType), "scope": "openid global_token_revocation",
      ]))
    request.scope = "openid global_token_revocation"
    let (person, victim) = (try await tenant.person(), try await tenant.person())
    let token = try #require(try await request.tokens(person)["access_token"]?.stringValue)
    let reply = try await Guard(tenant: tenant, token: token).revoke([
      "sub_id": ["format": "opaque", "id": .string(victim.id)]
    ])
    #expect(reply.status == 403, "\(reply)")
  }

  @Test("ID tokens can't be revoked: unsupported_token_type; hints change nothing")
  func kinds() async throws {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let tokens = try await request.tokens(tenant.person())
    func revoke(_ token: String, _ hint: String) async throws -> Reply {
      try await tenant.post(
        "oauth2/revoke", [("token", token), ("token_type_hint", hint)],
        headers: [request.application.basic])
    }
    let idToken = try await revoke(tokens["id_token"]?.stringValue ?? "", "access_token")
    #expect(idToken.status == 400 && idToken.json["error"] == "unsupported_token_type")
    for hint in ["access_token", "refresh_token", "something"] {
      #expect(try await revoke("unknown", hint).status == 200)
    }
    #expect(
      try await revoke(tokens["access_token"]?.stringValue ?? "", "refresh_token").status == 200)
    #expect(try await tenant.userinfo(tokens["access_token"]).status == 401)
    #expect(
      try await revoke(tokens["refresh_token"]?.stringValue ?? "", "access_token").status == 200)
    let missing = try await tenant.post(
      "oauth2/revoke", [], headers: [request.application.basic])
    #expect(missing.status == 400 && missing.json["error"] == "invalid_request")
    #expect(
      try await tenant.post("oauth2/revoke", [("token", "x")]).json["error"] == "invalid_client")
  }

  @Test("Introspection: of one's own tokens, or by a client that was registered for it")
  func introspection() async throws {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let tokens = try await request.tokens(tenant.person())
    let other = try await tenant.application()
    let resource = try await tenant.application(["introspects_all_tokens": true])
    #expect(
      try await tenant.introspect(tokens["access_token"], by: other) == ["active": false])
    let described = try await tenant.introspect(tokens["access_token"], by: resource)
    for name in ["active", "iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti"] {
      #expect(described[name] != nil, "\(name)")
    }
    #expect(described["username"] == nil && described["email"] == nil)
  }
}
