import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("RFC 8707: resource indicators over HTTP")
struct ResourceFlowTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  static let (api, files) = ("https://api.example.org/", "https://files.example.org/")

  func party() async throws -> RelyingParty {
    try await RelyingParty(
      harness, .query, ["resources": [.string(Self.api), .string(Self.files)]])
  }

  func authorize(_ party: RelyingParty, _ resources: [String]) async throws -> RelyingParty.Answer {
    let query = HTTP.encode(
      party.parameters(["scope": "openid offline_access"]) + resources.map { ("resource", $0) })
    return try await party.proceed(
      try await party.browser.open("\(party.tenant.issuer)/oauth2/authorize?\(query)"))
  }

  func audience(_ reply: Reply) throws -> JSON? {
    try ReadToken(reply.json["access_token"]?.stringValue).claims["aud"]
  }

  @Test("Granted, narrowed at the token endpoint and at refresh, never widened")
  func narrowing() async throws {
    let party = try await party()
    let answer = try await authorize(party, [Self.api, Self.files])
    #expect(answer.pages.last?.text.contains(Self.api) == true)
    let beyond = try await party.redeem(answer.code, [("resource", party.tenant.issuer)])
    #expect(beyond.status == 400 && beyond.json["error"] == "invalid_target")
    let narrowed = try await party.redeem(answer.code, [("resource", Self.api)])
    #expect(try audience(narrowed)?.stringValue == Self.api)
    // A token for somebody else opens nothing here.
    #expect(try await party.tenant.userinfo(narrowed.json["access_token"]).status == 401)
    let known = try await party.tenant.introspect(
      narrowed.json["access_token"], by: party.application)
    #expect(known["active"] == true && known["aud"]?.stringValue == Self.api)
    var form = [
      ("grant_type", "refresh_token"),
      ("refresh_token", narrowed.json["refresh_token"]?.stringValue ?? ""),
    ]
    let wider = try await party.token(form + [("resource", party.tenant.issuer)])
    #expect(wider.json["error"] == "invalid_target")
    let all = try await party.token(form)
    #expect(try audience(all) == .strings([Self.api, Self.files]))
    form[1].1 = all.json["refresh_token"]?.stringValue ?? ""
    #expect(
      try audience(await party.token(form + [("resource", Self.files)]))?.stringValue == Self.files)
  }

  @Test("Without a resource the token is for the issuer")
  func none() async throws {
    let party = try await party()
    let reply = try await party.redeem(try await authorize(party, []).code)
    #expect(try audience(reply)?.stringValue == party.tenant.issuer)
  }

  @Test("invalid_target at the authorization and the token endpoint")
  func refusals() async throws {
    let party = try await party()
    for resource in ["https://other.example.org/", "\(Self.api)#x", "api", "/api"] {
      #expect(try await authorize(party, [resource]).error == "invalid_target", "\(resource)")
      let reply = try await party.redeem("x", [("resource", resource)])
      #expect(reply.json["error"] != nil)
    }
  }

  @Test("Client credentials")
  func clientCredentials() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application([
      "grant_types": ["client_credentials"], "redirect_uris": [], "response_types": [],
      "scope": "api:read", "resources": [.string(Self.api)],
    ])
    func token(_ resource: String) async throws -> Reply {
      try await HTTP.post(
        form: [("grant_type", "client_credentials"), ("resource", resource)],
        to: "\(tenant.issuer)/oauth2/token", headers: [application.basic])
    }
    #expect(try audience(await token(Self.api))?.stringValue == Self.api)
    #expect(try await token(Self.files).json["error"] == "invalid_target")
  }
}
