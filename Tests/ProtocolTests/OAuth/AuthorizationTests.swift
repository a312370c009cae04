import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("OAuth 2.1 section 4.1, OpenID Connect Core 3.1.2: the authorization endpoint")
struct AuthorizationTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-server: code, tokens, ID token and userinfo belong together")
  func wholeFlow() async throws {
    let tenant = try await harness.tenant()
    let (person, application) = (try await tenant.person(), try await tenant.application())
    let request = AuthorizationRequest(tenant, application)
    let back = try await request.authorize(person, with: Browser())
    #expect(back.locationParameter("state") == request.state)
    #expect(back.locationParameter("iss") == tenant.issuer)
    let code = try #require(back.locationParameter("code"))
    #expect(code.utf8.count >= 43)
    let reply = try await request.redeem(code: code)
    #expect(reply.status == 200)
    #expect(reply.contentType == "application/json")
    #expect(reply.headers.first(name: "cache-control") == "no-store")
    #expect(reply.json["token_type"] == "Bearer")
    let token = try ReadToken(reply.json["id_token"]?.stringValue)
    #expect(token.header["alg"] == "RS256")
    #expect(token.header["kid"]?.stringValue != nil)
    #expect(token.claims["iss"]?.stringValue == tenant.issuer)
    #expect(token.claims["aud"]?.stringValue == application.id)
    #expect(token.claims["sub"]?.stringValue == person.id)
    #expect(token.claims["nonce"]?.stringValue == request.nonce)
    for claim in ["exp", "iat", "auth_time"] { #expect(token.claims[claim]?.integerValue != nil) }
    for claim in ["email", "name", "address"] { #expect(token.claims[claim] == nil) }
    let access = try ReadToken(reply.json["access_token"]?.stringValue)
    #expect(access.header["typ"] == "at+jwt")
    #expect(access.claims["client_id"]?.stringValue == application.id)
    let userinfo = try await tenant.userinfo(reply.json["access_token"])
    #expect(userinfo.json["sub"]?.stringValue == person.id)
    #expect(userinfo.json["email"]?.stringValue == person.email)
    #expect(userinfo.json["address"]?["street_address"]?.stringValue == person.street)
  }

  @Test("A client that registered ES256 gets it")
  func registeredAlgorithm() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application(["id_token_signed_response_alg": "ES256"])
    let tokens = try await AuthorizationRequest(tenant, application).tokens(tenant.person())
    #expect(try ReadToken(tokens["id_token"]?.stringValue).header["alg"] == "ES256")
  }

  @Test("A public client signs in with PKCE alone")
  func publicClient() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application(["token_endpoint_auth_method": "none"])
    #expect(application.secret == nil)
    let request = AuthorizationRequest(tenant, application)
    let tokens = try await request.tokens(tenant.person())
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    #expect(try await request.refresh(refresh).status == 200)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let name: String
    let value: String?
    let error: String
  }

  @Test(
    "RFC 6749 section 4.1.2.1: errors go to the application, with state and iss",
    arguments: [
      Refusal(
        testDescription: "oidcc-response-type-missing", name: "response_type", value: nil,
        error: "invalid_request"),
      Refusal(
        testDescription: "implicit", name: "response_type", value: "token",
        error: "unsupported_response_type"),
      Refusal(
        testDescription: "no challenge", name: "code_challenge", value: nil,
        error: "invalid_request"),
      Refusal(
        testDescription: "par-plain-pkce-rejected", name: "code_challenge_method", value: "plain",
        error: "invalid_request"),
      Refusal(
        testDescription: "unknown scope", name: "scope", value: "openid magic",
        error: "invalid_scope"),
      Refusal(
        testDescription: "request object", name: "request", value: "e30.e30.e30",
        error: "invalid_request_object"),
      Refusal(
        testDescription: "request_uri", name: "request_uri", value: "https://app.example.org/r",
        error: "invalid_request_uri"),
      Refusal(
        testDescription: "oidcc-prompt-none-not-logged-in", name: "prompt", value: "none",
        error: "login_required"),
      Refusal(
        testDescription: "prompt none and login", name: "prompt", value: "none login",
        error: "invalid_request"),
    ])
  func refusals(_ refusal: Refusal) async throws {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let reply = try await HTTP.get(request.url(changing: refusal.name, to: refusal.value))
    #expect(reply.status == 303)
    #expect(reply.location?.hasPrefix(request.application.redirectURI) == true)
    #expect(reply.locationParameter("error") == refusal.error)
    #expect(reply.locationParameter("state") == request.state)
    #expect(reply.locationParameter("iss") == tenant.issuer)
    #expect(reply.locationParameter("code") == nil)
  }

  @Test(
    "Without a proven redirect URI there is a page and no redirect",
    arguments: [
      ("client_id", "nobody"), ("client_id", nil),
      ("redirect_uri", "https://evil.example/callback"),
      ("redirect_uri", "https://app.example.org/callback?added=1"),
      ("redirect_uri", "https://app.example.org/callback/"),
    ] as [(String, String?)])
  func pages(name: String, value: String?) async throws {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let reply = try await HTTP.get(
      request.url(changing: name, to: value), headers: [("accept", "text/html")])
    #expect(reply.status == 400)
    #expect(reply.location == nil)
    #expect(reply.contentType?.hasPrefix("text/html") == true)
    #expect(!reply.text.contains("evil.example"))
  }

  @Test("oidcc-ensure-redirect-uri-in-authorization-request")
  func redirectMustBeNamed() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application([
      "redirect_uris": ["https://app.example.org/callback", "https://app.example.org/other"]
    ])
    let request = AuthorizationRequest(tenant, application)
    let reply = try await HTTP.get(request.url(changing: "redirect_uri", to: nil))
    #expect(reply.status == 400 && reply.location == nil)
  }

  @Test("RFC 8252 section 7.3: a native application picks its loopback port")
  func loopback() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application([
      "redirect_uris": ["http://127.0.0.1/callback"], "application_type": "native",
      "token_endpoint_auth_method": "none",
    ])
    let request = AuthorizationRequest(tenant, application)
    let reply = try await HTTP.get(
      request.url(changing: "redirect_uri", to: "http://127.0.0.1:49321/callback"))
    #expect(reply.location?.contains("/login?continue=") == true)
    let other = try await HTTP.get(
      request.url(changing: "redirect_uri", to: "http://127.0.0.1:49321/other"))
    #expect(other.status == 400)
  }

  @Test("A repeated parameter is refused, and unknown ones are ignored (RFC 6749 section 3.1)")
  func oddParameters() async throws {
    let tenant = try await harness.tenant()
    let (person, application) = (try await tenant.person(), try await tenant.application())
    let request = AuthorizationRequest(tenant, application)
    let browser = Browser()
    _ = try await request.authorize(person, with: browser)
    let unknown = request.with(
      ("extra", "foobar"), ("display", "popup"), ("ui_locales", "se"), ("claims_locales", "se"),
      ("acr_values", "1 2"), ("login_hint", "somebody"))
    #expect(try await browser.open(unknown.url).reply.locationParameter("code") != nil)
    let repeated = try await browser.open(request.url + "&scope=openid").reply
    #expect(repeated.locationParameter("error") == "invalid_request")
    let twoStates = try await browser.open(request.url + "&state=other").reply
    #expect(twoStates.locationParameter("error") == "invalid_request")
    #expect(twoStates.locationParameter("state") == nil)
  }

  @Test("oidcc-ensure-post-request-succeeds")
  func post() async throws {
    let tenant = try await harness.tenant()
    let (person, application) = (try await tenant.person(), try await tenant.application())
    let request = AuthorizationRequest(tenant, application)
    let browser = Browser()
    _ = try await request.authorize(person, with: browser)
    let items = URLComponents(string: request.url)?.queryItems ?? []
    let reply = try await browser.send(
      .POST, "\(tenant.issuer)/oauth2/authorize",
      headers: [("content-type", "application/x-www-form-urlencoded")],
      body: Array(HTTP.encode(items.map { ($0.name, $0.value ?? "") }).utf8))
    #expect(reply.locationParameter("code") != nil)
  }

  @Test(
    "Posted from the application's page: browsers leave the session out, so it is asked for again")
  func postFromElsewhere() async throws {
    let tenant = try await harness.tenant()
    let browser = Browser()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    _ = try await request.authorize(try await tenant.person(), with: browser)
    let items = URLComponents(string: request.with(("prompt", "none")).url)?.queryItems ?? []
    let again = try await HTTP.post(
      form: items.map { ($0.name, $0.value ?? "") }, to: "\(tenant.issuer)/oauth2/authorize")
    #expect(again.status == 303, "\(again)")
    let reply = try await browser.get(tenant.admin.baseURL + (try #require(again.location)))
    #expect(reply.locationParameter("code") != nil, "\(reply)")
  }
}

@Suite("OpenID Connect Core 3.1.2.1: prompt, max_age and id_token_hint")
struct PromptTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  /// A person who has signed in to an application once.
  struct Visit {
    let request: AuthorizationRequest
    let person: TestPerson
    let browser: Browser
    let tokens: JSON
  }

  func visit() async throws -> Visit {
    let tenant = try await harness.tenant()
    let (person, application) = (try await tenant.person(), try await tenant.application())
    let request = AuthorizationRequest(tenant, application)
    let browser = Browser()
    let tokens = try await request.tokens(person, with: browser)
    return Visit(request: request, person: person, browser: browser, tokens: tokens)
  }

  func authTime(_ tokens: JSON) throws -> Int {
    try #require(ReadToken(tokens["id_token"]?.stringValue).claims["auth_time"]?.integerValue)
  }

  @Test("oidcc-prompt-none-logged-in, oidcc-id-token-hint")
  func silent() async throws {
    let visit = try await visit()
    let hint = try #require(visit.tokens["id_token"]?.stringValue)
    for request in [
      visit.request.with(("prompt", "none")),
      visit.request.with(("prompt", "none"), ("id_token_hint", hint)),
      visit.request.with(("prompt", "none"), ("max_age", "10000")),
    ] {
      let reply = try await visit.browser.get(request.url)
      let code = try #require(reply.locationParameter("code"), "\(reply)")
      let tokens = try await request.redeem(code: code).json
      #expect(try authTime(tokens) == authTime(visit.tokens))
    }
  }

  @Test("A hint about somebody else, or one that is not ours, gives no code")
  func foreignHints() async throws {
    let visit = try await visit()
    let other = try await visit.request.tokens(visit.request.tenant.person())
    let foreign = try await self.visit()
    for (token, error) in [
      (other["id_token"], "login_required"), (foreign.tokens["id_token"], "invalid_request"),
      (visit.tokens["access_token"], "invalid_request"),
    ] {
      let request = visit.request.with(
        ("prompt", "none"), ("id_token_hint", token?.stringValue ?? ""))
      #expect(try await visit.browser.get(request.url).locationParameter("error") == error)
    }
  }

  @Test("oidcc-prompt-login, oidcc-max-age-1", arguments: [("prompt", "login"), ("max_age", "0")])
  func again(name: String, value: String) async throws {
    let visit = try await visit()
    let request = visit.request.with((name, value))
    let page = try await visit.browser.open(request.url)
    #expect(page.reply.text.contains("id=\"password\""))
    let back = try await visit.browser.submit(
      page.reply, at: page.url,
      fill: [("username", visit.person.username), ("password", visit.person.password)],
      press: "submit")
    let code = try #require(back.reply.locationParameter("code"), "\(back.reply)")
    let tokens = try await request.redeem(code: code).json
    #expect(try authTime(tokens) >= authTime(visit.tokens))
    let (old, new) = (
      try ReadToken(visit.tokens["id_token"]?.stringValue),
      try ReadToken(tokens["id_token"]?.stringValue)
    )
    #expect(old.claims["sub"] == new.claims["sub"])
  }

  @Test("The proof of a new sign-in can't be taken from one request to another")
  func ticketIsBound() async throws {
    let visit = try await visit()
    let login = visit.request.with(("prompt", "login"))
    let page = try await visit.browser.open(login.url)
    let form = try #require(Browser.forms(page.reply.text).first { $0.buttons["submit"] != nil })
    let continuation = try #require(form.values.first { $0.0 == "continue" }?.1)
    let ticket = try #require(
      URLComponents(string: continuation)?.queryItems?.first { $0.name == "interaction" }?.value)
    // A fresh sign-in, and then another request with the same ticket.
    _ = try await visit.request.tenant.signIn(visit.person, with: visit.browser)
    let other = visit.request.with(("prompt", "login"), ("interaction", ticket))
    #expect(try await visit.browser.open(other.url).reply.text.contains("id=\"password\""))
  }
}
