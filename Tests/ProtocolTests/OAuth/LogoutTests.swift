import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("OpenID Connect RP-Initiated Logout 1.0")
struct LogoutTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  struct Visit {
    let request: AuthorizationRequest
    let browser: Browser
    let tokens: JSON

    var hint: String { tokens["id_token"]?.stringValue ?? "" }

    func logout(_ parameters: [(String, String)]) async throws -> Reply {
      try await browser.get("\(request.tenant.issuer)/oidc/logout?\(HTTP.encode(parameters))")
    }

    /// Whether the browser still has a session.
    func isSignedIn() async throws -> Bool {
      let reply = try await browser.get(request.with(("prompt", "none")).url)
      return reply.locationParameter("code") != nil
    }
  }

  static let goodbye = "https://app.example.org/goodbye"

  func visit(scope: String = "openid") async throws -> Visit {
    let tenant = try await harness.tenant()
    let application = try await tenant.application([
      "post_logout_redirect_uris": [.string(Self.goodbye)]
    ])
    var request = AuthorizationRequest(tenant, application)
    request.scope = scope
    let browser = Browser()
    let tokens = try await request.tokens(tenant.person(), with: browser)
    return Visit(request: request, browser: browser, tokens: tokens)
  }

  @Test("oidcc-rp-initiated-logout: back to the application with state and nothing else")
  func redirect() async throws {
    let visit = try await visit()
    let reply = try await visit.logout([
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", Self.goodbye), ("state", "a b"),
    ])
    #expect(reply.location == "\(Self.goodbye)?state=a%20b")
    #expect(try await !visit.isSignedIn())
    let refresh = try #require(visit.tokens["refresh_token"]?.stringValue)
    #expect(try await visit.request.refresh(refresh).json["error"] == "invalid_grant")
    #expect(try await visit.request.tenant.userinfo(visit.tokens["access_token"]).status == 401)
  }

  @Test("oidcc-rp-initiated-logout-no-state: none is invented")
  func noState() async throws {
    let visit = try await visit()
    let reply = try await visit.logout([
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", Self.goodbye),
    ])
    #expect(reply.location == Self.goodbye)
  }

  @Test("A grant with offline_access outlives the session (OpenID Connect Core section 11)")
  func offline() async throws {
    let visit = try await visit(scope: "openid offline_access")
    _ = try await visit.logout([("id_token_hint", visit.hint)])
    #expect(try await !visit.isSignedIn())
    let refresh = try #require(visit.tokens["refresh_token"]?.stringValue)
    #expect(try await visit.request.refresh(refresh).status == 200)
  }

  @Test(
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri and its like: no redirect",
    arguments: [
      "https://evil.example/", "https://app.example.org/goodbye?foo=bar",
      "https://app.example.org/",
    ])
  func badAddress(_ address: String) async throws {
    let visit = try await visit()
    let reply = try await visit.logout([
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", address),
    ])
    #expect(reply.status == 400 && reply.location == nil)
  }

  @Test("oidcc-rp-initiated-logout-bad-id-token-hint, -modified-id-token-hint: no redirect")
  func badHints() async throws {
    let visit = try await visit()
    let other = try await self.visit()
    let parts = visit.hint.split(separator: ".")
    let none = Base64URL.encode(Array("{\"alg\":\"none\",\"typ\":\"JWT\"}".utf8))
    for hint in [other.hint, "\(none).\(parts[1]).", "\(parts[0]).\(parts[1]).AAAA", "x"] {
      let reply = try await visit.logout([
        ("id_token_hint", hint), ("post_logout_redirect_uri", Self.goodbye),
      ])
      #expect(reply.location == nil)
      #expect(try await visit.isSignedIn())
    }
  }

  @Test(
    "oidcc-rp-initiated-logout-no-id-token-hint, -no-params: the user is asked, and then signed out"
  )
  func confirmation() async throws {
    for parameters in [[], [("state", "x")], [("post_logout_redirect_uri", Self.goodbye)]] {
      let visit = try await visit()
      let page = try await visit.logout(parameters)
      #expect(page.status == 200 && page.location == nil)
      #expect(try await visit.isSignedIn())
      let done = try await visit.browser.submit(
        page, at: "\(visit.request.tenant.issuer)/oidc/logout", press: "submit")
      #expect(done.reply.status == 200 && done.reply.text.contains("signed out"))
      #expect(try await !visit.isSignedIn())
    }
  }

  @Test("Another site can't press the button")
  func forged() async throws {
    let visit = try await visit()
    let reply = try await visit.browser.send(
      .POST, "\(visit.request.tenant.issuer)/oidc/logout",
      headers: [
        ("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.example"),
      ],
      body: Array("confirm=true".utf8))
    #expect(reply.status == 403)
    #expect(try await visit.isSignedIn())
  }

  @Test("A hint about another session asks first")
  func otherUser() async throws {
    let visit = try await visit()
    let other = try await visit.request.tokens(visit.request.tenant.person(), with: Browser())
    let reply = try await visit.logout([("id_token_hint", other["id_token"]?.stringValue ?? "")])
    #expect(reply.status == 200)
    #expect(try await visit.isSignedIn())
  }
}
