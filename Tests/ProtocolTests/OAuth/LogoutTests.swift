import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("OpenID Connect RP-Initiated Logout 1.0")
struct LogoutTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("A grant with offline_access outlives the session (OpenID Connect Core section 11)")
  func offline() async throws {
    let visit = try await LogoutVisit(harness, scope: "openid offline_access")
    _ = try await visit.logout([("id_token_hint", visit.hint)])
    #expect(try await !visit.isSignedIn())
    let refresh = try #require(visit.tokens["refresh_token"]?.stringValue)
    #expect(try await visit.request.refresh(refresh).status == 200)
  }

  @Test("Another site can't press the button")
  func forged() async throws {
    let visit = try await LogoutVisit(harness)
    let reply = try await visit.browser.send(
      .POST, "\(visit.tenant.issuer)/oidc/logout",
      headers: [
        ("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.example"),
      ],
      body: Array("confirm=true".utf8))
    #expect(reply.status == 403)
    #expect(try await visit.isSignedIn())
  }

  @Test("A hint about another session asks first")
  func otherUser() async throws {
    let visit = try await LogoutVisit(harness)
    let other = try await visit.request.tokens(visit.tenant.person(), with: Browser())
    let reply = try await visit.logout([("id_token_hint", other["id_token"]?.stringValue ?? "")])
    #expect(reply.status == 200)
    #expect(try await visit.isSignedIn())
  }

  @Test("By POST, and with client_id that says what the hint says")
  func posted() async throws {
    let visit = try await LogoutVisit(harness)
    let address = "\(visit.tenant.issuer)/oidc/logout"
    let fields = [
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", LogoutVisit.goodbye),
      ("state", "s"),
    ]
    func post(_ form: [(String, String)]) async throws -> Reply {
      try await visit.browser.send(
        .POST, address, headers: [("content-type", "application/x-www-form-urlencoded")],
        body: Array(HTTP.encode(form).utf8))
    }
    let mismatch = try await post(fields + [("client_id", "somebody-else")])
    #expect(mismatch.status == 400 && mismatch.location == nil)
    #expect(try await visit.isSignedIn())
    let reply = try await post(fields + [("client_id", visit.request.application.id)])
    #expect(reply.location == "\(LogoutVisit.goodbye)?state=s")
    #expect(try await !visit.isSignedIn())
  }

  @Test(
    "Posted by the application's page: browsers leave the session out, so it is asked for again")
  func postedFromElsewhere() async throws {
    let visit = try await LogoutVisit(harness)
    let fields = [
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", LogoutVisit.goodbye),
      ("state", "s"),
    ]
    let again = try await HTTP.post(form: fields, to: "\(visit.tenant.issuer)/oidc/logout")
    #expect(again.status == 303 && again.headers["set-cookie"].isEmpty, "\(again)")
    let reply = try await visit.browser.get(
      visit.tenant.admin.baseURL + (try #require(again.location)))
    #expect(reply.location == "\(LogoutVisit.goodbye)?state=s")
    #expect(try await !visit.isSignedIn())
    let refresh = visit.tokens["refresh_token"]?.stringValue ?? ""
    #expect(try await visit.request.refresh(refresh).json["error"] == "invalid_grant")
  }

  @Test("A form of another site signs nobody out without a question")
  func forcedFromElsewhere() async throws {
    let visit = try await LogoutVisit(harness)
    let again = try await HTTP.post(form: [], to: "\(visit.tenant.issuer)/oidc/logout")
    #expect(again.status == 303 && again.headers["set-cookie"].isEmpty, "\(again)")
    let page = try await visit.browser.get(
      visit.tenant.admin.baseURL + (try #require(again.location)))
    #expect(page.status == 200 && page.text.contains("id=\"submit\""))
    #expect(try await visit.isSignedIn())
  }

  @Test("Without a hint the user's confirmation and the client's registration prove the address")
  func confirmedAddress() async throws {
    let visit = try await LogoutVisit(harness)
    let fields = [
      ("client_id", visit.request.application.id),
      ("post_logout_redirect_uri", LogoutVisit.goodbye), ("state", "s"),
    ]
    let page = try await visit.logout(fields)
    #expect(page.status == 200 && page.text.contains("Test application"))
    let done = try await visit.confirm(page)
    #expect(done.location == "\(LogoutVisit.goodbye)?state=s")
    #expect(try await !visit.isSignedIn())
    // With nobody to confirm it, there is no way on.
    let again = try await visit.logout(fields)
    #expect(again.status == 200 && again.location == nil && again.headers["refresh"].isEmpty)
    let evil = try await visit.logout([
      ("client_id", visit.request.application.id),
      ("post_logout_redirect_uri", "https://evil.example/"),
    ])
    #expect(evil.status == 400)
  }
}
