import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("Sessions: seen and ended by the user and by an administrator")
struct SessionTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  private func sessions(_ visit: LogoutVisit) async throws -> [JSON] {
    let path = "\(visit.tenant.path)/users/\(visit.person.id)/sessions"
    return try await harness.admin.document(.GET, path)["sessions"]?.arrayValue ?? []
  }

  @Test("The page lists browsers, and a session ends there with all that lives by it")
  func page() async throws {
    let visit = try await LogoutVisit(harness, scope: "openid offline_access")
    let other = try await LogoutVisit(visit.request, visit.person, Browser())
    let address = "\(visit.tenant.issuer)/account/sessions"
    let page = try await visit.browser.open(address)
    let (own, theirs) = (try visit.sessionID, try other.sessionID)
    #expect(page.reply.status == 200)
    #expect(page.reply.text.contains("id=\"end-\(own)\""))
    #expect(page.reply.text.contains("id=\"end-\(theirs)\""))
    #expect(page.reply.text.matches(of: /This browser/).count == 1)
    let done = try await visit.browser.submit(page.reply, at: page.url, press: "end-\(theirs)")
    #expect(done.reply.status == 200 && done.reply.text.contains("Signed out there"))
    #expect(!done.reply.text.contains("end-\(theirs)"))
    #expect(try await !other.isSignedIn())
    #expect(try await visit.isSignedIn())
    // Refused at once, also what offline_access would keep at a sign-out.
    #expect(try await other.tenant.userinfo(other.tokens["access_token"]).status == 401)
    let introspected = try await other.tenant.introspect(
      other.tokens["access_token"], by: other.request.application)
    #expect(introspected == ["active": false])
    let refresh = try #require(other.tokens["refresh_token"]?.stringValue)
    #expect(try await other.request.refresh(refresh).json["error"] == "invalid_grant")
    #expect(try await visit.tenant.userinfo(visit.tokens["access_token"]).status == 200)
  }

  @Test("Everywhere else at once; and one's own, which signs this browser out")
  func everywhere() async throws {
    let visit = try await LogoutVisit(harness)
    let others = [
      try await LogoutVisit(visit.request, visit.person, Browser()),
      try await LogoutVisit(visit.request, visit.person, Browser()),
    ]
    let address = "\(visit.tenant.issuer)/account/sessions"
    let page = try await visit.browser.open(address)
    let done = try await visit.browser.submit(page.reply, at: page.url, press: "end-others")
    for other in others { #expect(try await !other.isSignedIn()) }
    let end = try await visit.browser.submit(
      done.reply, at: done.url, press: "end-\(visit.sessionID)")
    #expect(end.url.contains("/login"))
    #expect(try await !visit.isSignedIn())
    #expect(visit.browser.scriptCookies(for: address).isEmpty)
  }

  @Test("Nobody ends the sessions of others, and no other site ends any")
  func hostile() async throws {
    let visit = try await LogoutVisit(harness)
    let stranger = try await LogoutVisit(visit.request, visit.tenant.person(), Browser())
    let address = "\(visit.tenant.issuer)/account/sessions"
    let page = try await stranger.browser.open(address)
    let form = try #require(Browser.forms(page.reply.text).first)
    func end(_ session: String, csrf: String, origin: String) async throws -> Int {
      try await stranger.browser.send(
        .POST, "\(address)/end",
        headers: [
          ("content-type", "application/x-www-form-urlencoded"), ("origin", origin),
        ],
        body: Array(HTTP.encode([("csrf", csrf), ("session", session)]).utf8)
      ).status
    }
    let csrf = try #require(form.values.first { $0.0 == "csrf" }?.1)
    let own = Browser.origin(of: address)
    #expect(try await end(visit.sessionID, csrf: csrf, origin: own) == 404)
    #expect(try await end("x", csrf: csrf, origin: own) == 404)
    #expect(try await end(stranger.sessionID, csrf: "x", origin: own) == 403)
    #expect(try await end(stranger.sessionID, csrf: csrf, origin: "https://evil.example") == 403)
    #expect(try await visit.isSignedIn())
    #expect(try await stranger.isSignedIn())
    let signedOut = try await Browser().open(address)
    #expect(signedOut.url.contains("/login"))
  }

  @Test("An administrator lists sessions and ends one, or everything of a user")
  func administrator() async throws {
    let visit = try await LogoutVisit(harness)
    let other = try await LogoutVisit(visit.request, visit.person, Browser())
    let listed = try await sessions(visit)
    #expect(
      try listed.map { $0["id"]?.stringValue } == [other.sessionID, visit.sessionID])
    #expect(listed.allSatisfy { $0["ip_address"]?.stringValue?.isEmpty == false })
    let path = "\(visit.tenant.path)/users/\(visit.person.id)/sessions"
    #expect(try await harness.admin.call(.DELETE, "\(path)/\(other.sessionID)").status == 204)
    #expect(try await harness.admin.call(.DELETE, "\(path)/\(other.sessionID)").status == 404)
    #expect(try await harness.admin.call(.DELETE, "\(path)/x").status == 404)
    #expect(try await !other.isSignedIn())
    #expect(try await other.tenant.userinfo(other.tokens["access_token"]).status == 401)
    #expect(try await visit.isSignedIn())
    #expect(try await harness.admin.call(.DELETE, path).status == 204)
    #expect(try await !visit.isSignedIn())
    #expect(try await sessions(visit).isEmpty)
    // Of another organization's user nothing is known.
    let elsewhere = try await harness.tenant()
    let foreign = "\(elsewhere.path)/users/\(visit.person.id)/sessions"
    #expect(try await harness.admin.call(.GET, foreign).status == 404)
    #expect(try await harness.admin.call(.DELETE, foreign).status == 404)
  }

  @Test("Everything of a client; sessions stay")
  func client() async throws {
    let visit = try await LogoutVisit(harness, scope: "openid offline_access")
    let other = try await LogoutVisit(
      AuthorizationRequest(visit.tenant, visit.tenant.application()), visit.person, visit.browser)
    let service = try await visit.tenant.application([
      "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [],
      "scope": "things:read",
    ])
    let machine = try await HTTP.post(
      form: [("grant_type", "client_credentials")], to: "\(visit.tenant.issuer)/oauth2/token",
      headers: [service.basic]
    ).json["access_token"]
    func isActive() async throws -> Bool {
      try await visit.tenant.introspect(machine, by: service)["active"] == true
    }
    #expect(try await isActive())
    let services = "\(visit.tenant.path)/clients/\(service.id)/grants"
    #expect(try await harness.admin.call(.DELETE, services).status == 204)
    #expect(try await !isActive())
    let path = "\(visit.tenant.path)/clients/\(visit.request.application.id)/grants"
    #expect(try await harness.admin.call(.DELETE, path).status == 204)
    #expect(try await visit.tenant.userinfo(visit.tokens["access_token"]).status == 401)
    let refresh = try #require(visit.tokens["refresh_token"]?.stringValue)
    #expect(try await visit.request.refresh(refresh).status == 400)
    #expect(try await visit.tenant.userinfo(other.tokens["access_token"]).status == 200)
    #expect(try await visit.isSignedIn())
    let unknown = "\(visit.tenant.path)/clients/nobody/grants"
    #expect(try await harness.admin.call(.DELETE, unknown).status == 404)
  }
}
