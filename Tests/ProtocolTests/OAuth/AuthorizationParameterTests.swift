import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("RFC 6749 section 3.1: authorization parameters that are not right")
struct AuthorizationParameterTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("Each is refused at the application, with state")
  func refusals() async throws {
    let party = try await RelyingParty(harness, .query)
    let long = String(repeating: "x", count: 1025)
    for (name, value, error) in [
      ("response_type", "code token", "unsupported_response_type"),
      ("response_mode", "fragment", "invalid_request"),
      ("response_mode", "jwt", "invalid_request"),
      ("scope", "openid flying", "invalid_scope"), ("scope", "op\"enid", "invalid_scope"),
      ("nonce", long, "invalid_request"), ("prompt", "none login", "invalid_request"),
      ("prompt", "magic", "invalid_request"), ("max_age", "-1", "invalid_request"),
      ("max_age", "soon", "invalid_request"), ("max_age", "99999999999999", "invalid_request"),
      ("claims", "x", "invalid_request"), ("claims", "[]", "invalid_request"),
      ("acr_values", String(repeating: "a ", count: 21), "invalid_request"),
      ("id_token_hint", "x", "invalid_request"),
      ("registration", "{}", "registration_not_supported"),
      ("code_challenge", "short", "invalid_request"),
      ("code_challenge_method", "S256", "invalid_request"),
      ("login_hint", String(repeating: "x", count: 9000), "invalid_request"),
    ] {
      let answer = try await party.authorize([name: value])
      #expect(answer.error == error, "\(name)=\(value.prefix(20))")
      #expect(answer.parameters["state"] == party.state)
    }
    for name in [
      "scope", "nonce", "prompt", "max_age", "claims", "acr_values", "display", "ui_locales",
      "claims_locales", "login_hint", "response_mode", "request", "request_uri",
    ] {
      let url = party.url([:]) + "&\(name)=a&\(name)=b"
      let answer = try await party.proceed(try await party.browser.open(url))
      #expect(answer.error == "invalid_request", "\(name)")
    }
  }

  @Test("form_post: errors travel by form too, and never to what is no web server")
  func formPost() async throws {
    let party = try await RelyingParty(harness, .formPost)
    let answer = try await party.authorize(["scope": "openid flying"])
    #expect(answer.error == "invalid_scope" && answer.parameters["state"] == party.state)
    let native = try await party.tenant.application([
      "redirect_uris": ["com.example.app:/callback"], "application_type": "native",
      "token_endpoint_auth_method": "none",
    ])
    let reply = try await HTTP.get(party.with(native).url([:]))
    #expect(reply.locationParameter("error") == "invalid_request")
  }

  @Test("form_post: the page can be sent to the application only, a native one's port included")
  func formPostPolicy() async throws {
    let party = try await RelyingParty(
      harness, .formPost,
      ["redirect_uris": [.string(RelyingParty.redirectURI), "https://www.example.org/callback"]])
    func formAction(_ party: RelyingParty, _ changes: [String: String?]) async throws -> String? {
      let (_, reply) = try await party.browser.open(party.url(changes))
      let policy = reply.headers.first(name: "content-security-policy") ?? ""
      return policy.firstMatch(of: /form-action ([^;]*);/).map { String($0.1) }
    }
    #expect(
      try await formAction(party, ["scope": "flying"])
        == "https://app.example.org https://www.example.org")
    let native = try await party.tenant.application([
      "redirect_uris": ["http://127.0.0.1/callback"], "application_type": "native",
      "token_endpoint_auth_method": "none",
    ])
    #expect(
      try await formAction(
        party.with(native),
        ["scope": "flying", "redirect_uri": "http://127.0.0.1:49152/callback"])
        == "http://127.0.0.1:49152 http://127.0.0.1")
  }

  @Test("A client without a waiver must send a code challenge")
  func proofKey() async throws {
    let party = try await RelyingParty(harness, .query, ["pkce_waiver_reason": .null])
    let answer = try await party.authorize()
    #expect(answer.error == "invalid_request")
    let reply = try await party.redeem("x")
    #expect(reply.json["error"] == "invalid_request")
    let waived = try await party.tenant.admin.call(
      .POST, "\(party.tenant.path)/clients",
      [
        "redirect_uris": [.string(RelyingParty.redirectURI)],
        "token_endpoint_auth_method": "none", "pkce_waiver_reason": "it is public",
      ])
    #expect((400..<500).contains(waived.status))
  }

  @Test("default_max_age and default_acr_values count where the request says nothing")
  func defaults() async throws {
    let party = try await RelyingParty(
      harness, .query,
      ["default_max_age": 1, "default_acr_values": ["urn:tenure:acr:password"]])
    let first = try await party.signIn()
    #expect(first.claims["acr"] == "urn:tenure:acr:password")
    for _ in 0..<600 {
      if try await party.authorize(["prompt": "none"]).error == "login_required" { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try await party.authorize().askedForPassword)
  }
}
