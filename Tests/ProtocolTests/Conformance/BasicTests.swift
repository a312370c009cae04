import Foundation
import NIOHTTP1
import Platform
import Testing

/// The same modules for two plans, with the answer in the query and in a form:
/// `oidcc-basic-certification-test-plan` and `oidcc-formpost-basic-certification-test-plan`.
///
/// The claims modules are in `BasicClaimsTests`.
@Suite("Conformance: Basic and Form Post Basic")
struct BasicTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-server", arguments: ResponseMode.allCases)
  func server(_ mode: ResponseMode) async throws {
    let first = try await RelyingParty(harness, mode)
    let second = first.with(try await RelyingParty.application(of: first.tenant))
    for party in [first, second] {
      let answer = try await party.authorize(["scope": RelyingParty.scope])
      #expect(answer.parameters["state"] == party.state)
      let code = try #require(answer.code)
      // 128 bits of base64url, and no character more often than chance explains.
      #expect(code.utf8.count >= 22)
      #expect(Set(code).count >= 16)
      let reply = try await party.redeem(code)
      #expect(reply.status == 200 && reply.contentType == "application/json")
      #expect(reply.headers.first(name: "cache-control") == "no-store")
      #expect(reply.json["token_type"] == "Bearer")
      #expect(reply.json["expires_in"]?.integerValue ?? 0 > 0)
      let idToken = try #require(reply.json["id_token"]?.stringValue)
      let claims = try await party.tenant.verified(idToken, type: "JWT")
      #expect(claims["aud"]?.stringValue == party.application.id)
      #expect(claims["nonce"]?.stringValue == party.nonce)
      let now = Int(Date().timeIntervalSince1970)
      #expect(claims["exp"]?.integerValue ?? 0 > now)
      #expect((now - 300...now + 5).contains(claims["iat"]?.integerValue ?? 0))
      #expect(claims["at_hash"]?.stringValue?.isEmpty == false)
      let own: Set = [
        "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid",
      ]
      #expect(Set(claims.names).isSubset(of: own))
      let userinfo = try await party.tenant.userinfo(reply.json["access_token"])
      #expect(userinfo.json["sub"] == claims["sub"])
    }
  }

  @Test("oidcc-response-type-missing", arguments: ResponseMode.allCases)
  func responseTypeMissing(_ mode: ResponseMode) async throws {
    let answer = try await RelyingParty(harness, mode).authorize(["response_type": nil])
    #expect(answer.error == "invalid_request")
    #expect(answer.code == nil)
  }

  @Test("oidcc-idtoken-signature", arguments: ResponseMode.allCases)
  func idTokenSignature(_ mode: ResponseMode) async throws {
    let signIn = try await RelyingParty(harness, mode).signIn()
    let header = try ReadToken(signIn.idToken).header
    #expect(header["alg"] == "RS256")
    #expect(header["kid"]?.stringValue?.isEmpty == false)
  }

  /// The suite skips it where `none` is not advertised; then it must not be to be had either.
  @Test("oidcc-idtoken-unsigned", arguments: ResponseMode.allCases)
  func idTokenUnsigned(_ mode: ResponseMode) async throws {
    let tenant = try await harness.tenant()
    let algorithms = try await tenant.metadata()["id_token_signing_alg_values_supported"]
    #expect(algorithms?.arrayValue?.contains("none") == false)
    let reply = try await harness.admin.call(
      .POST, "\(tenant.path)/clients",
      [
        "redirect_uris": [.string(RelyingParty.redirectURI)],
        "id_token_signed_response_alg": "none",
      ])
    #expect((400..<500).contains(reply.status))
  }

  @Test(
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow", arguments: ResponseMode.allCases)
  func withoutNonce(_ mode: ResponseMode) async throws {
    let signIn = try await RelyingParty(harness, mode).signIn(["nonce": nil])
    #expect(signIn.claims["nonce"] == nil)
  }

  @Test("oidcc-alternate-happy-flow", arguments: ResponseMode.allCases)
  func alternate(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let scope = RelyingParty.scope.split(separator: " ").reversed().joined(separator: " ")
    let shuffled = party.parameters(["scope": scope]).reversed().map(\.self)
    let answer = try await party.proceed(
      try await party.browser.open(
        "\(party.tenant.issuer)/oauth2/authorize?\(HTTP.encode(shuffled))"))
    let signIn = try await RelyingParty.SignIn(answer, party.redeem(answer.code), party)
    #expect(try await party.tenant.userinfo(signIn.accessToken).status == 200)
  }

  /// Parameters that change nothing must not harm.
  private func succeeds(_ mode: ResponseMode, _ name: String, _ value: String) async throws {
    let signIn = try await RelyingParty(harness, mode).signIn([name: value])
    #expect(signIn.claims["sub"] != nil)
  }

  @Test("oidcc-display-page", arguments: ResponseMode.allCases)
  func displayPage(_ mode: ResponseMode) async throws {
    try await succeeds(mode, "display", "page")
  }

  @Test("oidcc-display-popup", arguments: ResponseMode.allCases)
  func displayPopup(_ mode: ResponseMode) async throws {
    try await succeeds(mode, "display", "popup")
  }

  @Test(
    "oidcc-ensure-request-with-unknown-parameter-succeeds", arguments: ResponseMode.allCases)
  func unknownParameter(_ mode: ResponseMode) async throws {
    try await succeeds(mode, "extra", "foobar")
  }

  @Test("oidcc-ui-locales", arguments: ResponseMode.allCases)
  func uiLocales(_ mode: ResponseMode) async throws { try await succeeds(mode, "ui_locales", "se") }

  @Test("oidcc-claims-locales", arguments: ResponseMode.allCases)
  func claimsLocales(_ mode: ResponseMode) async throws {
    try await succeeds(mode, "claims_locales", "se")
  }

  @Test("oidcc-login-hint", arguments: ResponseMode.allCases)
  func loginHint(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let answer = try await party.authorize(["login_hint": party.person.email])
    #expect(answer.code != nil)
    #expect(answer.pages.first?.text.contains("value=\"\(party.person.email)\"") == true)
  }

  @Test("oidcc-ensure-request-with-acr-values-succeeds", arguments: ResponseMode.allCases)
  func acrValues(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let known = try await party.tenant.metadata()["acr_values_supported"]?.arrayValue ?? []
    let values = known.compactMap(\.stringValue)
    let signIn = try await party.signIn(["acr_values": values.joined(separator: " ")])
    #expect(values.contains(signIn.claims["acr"]?.stringValue ?? ""))
    #expect(try await party.authorize(["acr_values": "1 2"]).code != nil)
  }

  @Test("oidcc-ensure-registered-redirect-uri", arguments: ResponseMode.allCases)
  func registeredRedirect(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let reply = try await HTTP.get(
      party.url(["redirect_uri": "https://app.example.org/callback/other"]),
      headers: [("accept", "text/html")])
    #expect(reply.status == 400 && reply.location == nil)
    #expect(reply.contentType?.hasPrefix("text/html") == true)
    #expect(Browser.forms(reply.text).isEmpty)
  }

  @Test("oidcc-ensure-post-request-succeeds", arguments: ResponseMode.allCases)
  func post(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let address = "\(party.tenant.issuer)/oauth2/authorize"
    let reply = try await party.browser.send(
      .POST, address, headers: [("content-type", "application/x-www-form-urlencoded")],
      body: Array(HTTP.encode(party.parameters([:])).utf8))
    let login = try #require(
      reply.location.flatMap { URL(string: $0, relativeTo: URL(string: address))?.absoluteString })
    let answer = try await party.proceed(try await party.browser.open(login))
    let signIn = try await RelyingParty.SignIn(answer, party.redeem(answer.code), party)
    #expect(signIn.claims["nonce"]?.stringValue == party.nonce)
  }

  @Test("oidcc-server-client-secret-post", arguments: ResponseMode.allCases)
  func secretPost(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(
      harness, mode, ["token_endpoint_auth_method": "client_secret_post"])
    let code = try #require(try await party.authorize().code)
    let reply = try await HTTP.post(
      form: [
        ("grant_type", "authorization_code"), ("code", code),
        ("redirect_uri", party.application.redirectURI), ("client_id", party.application.id),
        ("client_secret", party.application.secret ?? ""),
      ], to: "\(party.tenant.issuer)/oauth2/token")
    #expect(reply.status == 200)
    #expect(try await party.tenant.userinfo(reply.json["access_token"]).status == 200)
  }

  @Test("oidcc-codereuse", arguments: ResponseMode.allCases)
  func codeReuse(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let code = try await party.authorize().code
    #expect(try await party.redeem(code).status == 200)
    let again = try await party.redeem(code)
    #expect(again.status == 400 && again.json["error"] == "invalid_grant")
  }

  /// The suite waits 30 seconds in between; here the code is as used after one moment as after many.
  @Test("oidcc-codereuse-30seconds", arguments: ResponseMode.allCases)
  func codeReuseLater(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let code = try await party.authorize().code
    let tokens = try await party.redeem(code).json
    #expect(try await party.tenant.userinfo(tokens["access_token"]).status == 200)
    #expect(try await party.redeem(code).json["error"] == "invalid_grant")
    #expect(try await party.tenant.userinfo(tokens["access_token"]).status == 401)
  }

  @Test("oidcc-refresh-token", arguments: ResponseMode.allCases)
  func refresh(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let supported = try await party.tenant.metadata()["scopes_supported"]?.arrayValue ?? []
    #expect(supported.contains("offline_access"))
    let first = try await party.signIn([
      "scope": "openid offline_access", "prompt": "consent",
    ])
    let token = try #require(first.tokens["refresh_token"]?.stringValue)
    #expect(token.utf8.allSatisfy { (0x20...0x7E).contains($0) } && token.utf8.count >= 22)
    let other = party.with(try await RelyingParty.application(of: party.tenant))
    let stolen = try await other.refresh(.string(token))
    #expect(stolen.status == 400 && stolen.json["error"] == "invalid_grant")
    let reply = try await party.refresh(.string(token))
    #expect(reply.status == 200)
    #expect(reply.json["access_token"] != first.accessToken)
    let claims = try await party.tenant.verified(
      reply.json["id_token"]?.stringValue ?? "", type: "JWT")
    for name in ["iss", "sub", "aud", "auth_time"] {
      #expect(claims[name] == first.claims[name], "\(name)")
    }
    #expect(claims["nonce"] == nil || claims["nonce"] == first.claims["nonce"])
    #expect(try await party.tenant.userinfo(reply.json["access_token"]).status == 200)
  }

  @Test("oidcc-ensure-request-with-valid-pkce-succeeds", arguments: ResponseMode.allCases)
  func proofKey(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    // RFC 7636 appendix B.
    let challenge = [
      "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      "code_challenge_method": "S256",
    ]
    let verifier = ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    let code = try await party.authorize(challenge).code
    #expect(try await party.redeem(code, [verifier]).status == 200)
    // Neither may be left out where the other was given (RFC 9700 section 2.1.1).
    let unanswered = try await party.authorize(challenge).code
    #expect(try await party.redeem(unanswered).json["error"] == "invalid_grant")
    let unasked = try await party.authorize().code
    #expect(try await party.redeem(unasked, [verifier]).json["error"] == "invalid_grant")
  }
}
