import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("OpenID Connect Core 5.3, RFC 7662, RFC 7009: userinfo, introspection, revocation")
struct ProtectedResourceTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  func signedIn(scope: String? = nil) async throws -> (request: AuthorizationRequest, tokens: JSON)
  {
    let tenant = try await harness.tenant()
    var request = AuthorizationRequest(tenant, try await tenant.application())
    if let scope { request.scope = scope }
    return (request, try await request.tokens(tenant.person()))
  }

  @Test("oidcc-userinfo-get, -post-header, -post-body")
  func userinfoMethods() async throws {
    let (request, tokens) = try await signedIn()
    let token = try #require(tokens["access_token"]?.stringValue)
    let address = "\(request.tenant.issuer)/oidc/userinfo"
    let header = [("authorization", "Bearer \(token)")]
    #expect(try await HTTP.get(address, headers: header).status == 200)
    #expect(try await HTTP.send(.POST, address, headers: header).status == 200)
    #expect(try await HTTP.post(form: [("access_token", token)], to: address).status == 200)
    #expect(try await HTTP.get("\(address)?access_token=\(token)").status == 401)
    let twice = try await HTTP.post(form: [("access_token", token)], to: address, headers: header)
    let repeated = try await HTTP.post(
      form: [("access_token", token), ("access_token", token)], to: address)
    for refused in [twice, repeated] {
      #expect(refused.status == 400)
      #expect(
        refused.headers.first(name: "www-authenticate")?.contains("invalid_request") == true)
    }
  }

  @Test(
    "oidcc-scope-*: claims come with their scope",
    arguments: [
      ("openid", []), ("openid email", ["email", "email_verified"]),
      ("openid address", ["address"]),
      ("openid profile", ["name", "preferred_username", "updated_at"]),
    ])
  func scopes(scope: String, claims: [String]) async throws {
    let (request, tokens) = try await signedIn(scope: scope)
    let names = try await request.tenant.userinfo(tokens["access_token"]).json.objectValue?.names
    #expect(Set(names ?? []) == Set(claims + ["sub"]))
  }

  @Test("RFC 6750 section 3: without or with a bad token there is a challenge")
  func challenges() async throws {
    let (request, tokens) = try await signedIn(scope: "openid")
    let address = "\(request.tenant.issuer)/oidc/userinfo"
    let none = try await HTTP.get(address)
    #expect(none.status == 401)
    #expect(none.headers.first(name: "www-authenticate")?.contains("error=") == false)
    let token = try #require(tokens["access_token"]?.stringValue)
    let idToken = try #require(tokens["id_token"]?.stringValue)
    for bad in ["x", idToken, String(token.dropLast(4)) + "AAAA", String(token.dropLast())] {
      let reply = try await HTTP.get(address, headers: [("authorization", "Bearer \(bad)")])
      #expect(reply.status == 401)
      #expect(reply.headers.first(name: "www-authenticate")?.contains("invalid_token") == true)
    }
  }

  @Test(
    "Introspection tells clients of the organization about its tokens, and nothing about others")
  func introspection() async throws {
    let (request, tokens) = try await signedIn()
    let tenant = request.tenant
    let access = try await tenant.introspect(tokens["access_token"], by: request.application)
    #expect(access["active"] == true && access["token_type"] == "Bearer")
    #expect(access["client_id"]?.stringValue == request.application.id)
    #expect(access["iss"]?.stringValue == tenant.issuer)
    let refresh = try await tenant.introspect(tokens["refresh_token"], by: request.application)
    #expect(refresh["active"] == true)
    for token: JSON in ["", "x", .string(request.nonce)] where token != "" {
      #expect(try await tenant.introspect(token, by: request.application) == ["active": false])
    }
    let other = try await tenant.application()
    #expect(
      try await tenant.introspect(tokens["access_token"], by: other) == ["active": false])
    #expect(
      try await tenant.introspect(tokens["refresh_token"], by: other) == ["active": false])
    let anonymous = try await HTTP.post(
      form: [("token", "x")], to: "\(tenant.issuer)/oauth2/introspect")
    #expect(anonymous.status == 401)
    let spa = try await tenant.application(["token_endpoint_auth_method": "none"])
    let byPublic = try await HTTP.post(
      form: [("token", "x"), ("client_id", spa.id)], to: "\(tenant.issuer)/oauth2/introspect")
    #expect(byPublic.status == 401)
    let missing = try await HTTP.post(
      form: [], to: "\(tenant.issuer)/oauth2/introspect", headers: [request.application.basic])
    #expect(missing.status == 400 && missing.json["error"] == "invalid_request")
  }

  @Test("A revoked access token is dead at once, and alone")
  func revokeAccess() async throws {
    let (request, tokens) = try await signedIn()
    try await revoke(tokens["access_token"], request)
    #expect(try await request.tenant.userinfo(tokens["access_token"]).status == 401)
    #expect(
      try await request.tenant.introspect(tokens["access_token"], by: request.application)
        == ["active": false])
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    #expect(try await request.refresh(refresh).status == 200)
  }

  @Test("A revoked refresh token takes its grant along (RFC 7009 section 2.1)")
  func revokeRefresh() async throws {
    let (request, tokens) = try await signedIn()
    try await revoke(tokens["refresh_token"], request)
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    #expect(try await request.refresh(refresh).json["error"] == "invalid_grant")
    #expect(try await request.tenant.userinfo(tokens["access_token"]).status == 401)
    // Section 2.2: unknown tokens are no error.
    try await revoke(tokens["refresh_token"], request)
    try await revoke("x", request)
  }

  @Test("Other clients revoke nothing, and learn nothing")
  func revokeByOther() async throws {
    let (request, tokens) = try await signedIn()
    let other = AuthorizationRequest(request.tenant, try await request.tenant.application())
    try await revoke(tokens["access_token"], other)
    try await revoke(tokens["refresh_token"], other)
    #expect(try await request.tenant.userinfo(tokens["access_token"]).status == 200)
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    #expect(try await request.refresh(refresh).status == 200)
  }

  @Test("A disabled user's tokens are dead at once")
  func disabledUser() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let tokens = try await request.tokens(person)
    try await harness.admin.document(
      .PATCH, "\(tenant.path)/users/\(person.id)", ["status": "disabled"])
    #expect(try await tenant.userinfo(tokens["access_token"]).status == 401)
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    #expect(try await request.refresh(refresh).json["error"] == "invalid_grant")
    #expect(try await tenant.signIn(person, with: Browser()).reply.status == 403)
  }

  private func revoke(_ token: JSON?, _ request: AuthorizationRequest) async throws {
    let reply = try await HTTP.post(
      form: [("token", token?.stringValue ?? "")], to: "\(request.tenant.issuer)/oauth2/revoke",
      headers: [request.application.basic])
    #expect(reply.status == 200)
    #expect(reply.body.isEmpty)
  }
}
