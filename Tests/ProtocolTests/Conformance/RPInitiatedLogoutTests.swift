import Foundation
import NIOHTTP1
import Platform
import Testing

/// `oidcc-rp-initiated-logout-certification-test-plan`.
@Suite("Conformance: RP-Initiated Logout")
struct RPInitiatedLogoutTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-rp-initiated-logout-discovery-endpoint-verification")
  func discovery() async throws {
    let tenant = try await harness.tenant()
    let document = try await tenant.metadata()
    #expect(document["end_session_endpoint"]?.stringValue == "\(tenant.issuer)/oidc/logout")
  }

  @Test("oidcc-rp-initiated-logout")
  func logout() async throws {
    let visit = try await LogoutVisit(harness)
    #expect(try await visit.isSignedIn())
    let reply = try await visit.logout([
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", LogoutVisit.goodbye),
      ("state", "a b&c"),
    ])
    // The state as it was sent, and nothing else.
    #expect(reply.location == "\(LogoutVisit.goodbye)?state=a%20b%26c")
    #expect(try await !visit.isSignedIn())
    let refresh = try #require(visit.tokens["refresh_token"]?.stringValue)
    #expect(try await visit.request.refresh(refresh).json["error"] == "invalid_grant")
    #expect(try await visit.tenant.userinfo(visit.tokens["access_token"]).status == 401)
  }

  @Test("oidcc-rp-initiated-logout-no-state")
  func noState() async throws {
    let visit = try await LogoutVisit(harness)
    let reply = try await visit.logout([
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", LogoutVisit.goodbye),
    ])
    #expect(reply.location == LogoutVisit.goodbye)
    #expect(try await !visit.isSignedIn())
  }

  @Test("oidcc-rp-initiated-logout-bad-post-logout-redirect-uri")
  func badAddress() async throws {
    for address in ["https://evil.example/", "https://app.example.org/", "x"] {
      try await expectNoRedirect(address)
    }
  }

  @Test("oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri")
  func queryAdded() async throws {
    try await expectNoRedirect("\(LogoutVisit.goodbye)?foo=bar")
  }

  private func expectNoRedirect(_ address: String) async throws {
    let visit = try await LogoutVisit(harness)
    let reply = try await visit.logout([
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", address), ("state", "x"),
    ])
    #expect(reply.status == 400 && reply.location == nil && reply.headers["refresh"].isEmpty)
    #expect(reply.contentType?.hasPrefix("text/html") == true || !reply.text.contains(address))
  }

  @Test("oidcc-rp-initiated-logout-bad-id-token-hint")
  func badHint() async throws {
    let visit = try await LogoutVisit(harness)
    // Signed by somebody else: another organization.
    let other = try await LogoutVisit(harness)
    for hint in [other.hint, "x", "a.b.c"] {
      try await expectRefused(visit, hint)
    }
  }

  @Test("oidcc-rp-initiated-logout-modified-id-token-hint")
  func modifiedHint() async throws {
    let visit = try await LogoutVisit(harness)
    let parts = visit.hint.split(separator: ".")
    let none = Base64URL.encode(Array("{\"alg\":\"none\",\"typ\":\"JWT\"}".utf8))
    for hint in [
      "\(none).\(parts[1]).", "\(none).\(parts[1]).\(parts[2])", "\(parts[0]).\(parts[1]).AAAA",
    ] {
      try await expectRefused(visit, hint)
    }
  }

  private func expectRefused(_ visit: LogoutVisit, _ hint: String) async throws {
    let reply = try await visit.logout([
      ("id_token_hint", hint), ("post_logout_redirect_uri", LogoutVisit.goodbye), ("state", "x"),
    ])
    #expect(reply.status == 400 && reply.location == nil)
    #expect(try await visit.isSignedIn())
  }

  @Test("oidcc-rp-initiated-logout-no-id-token-hint")
  func noHint() async throws {
    try await expectConfirmation([
      ("post_logout_redirect_uri", LogoutVisit.goodbye), ("state", "x"),
    ])
  }

  @Test("oidcc-rp-initiated-logout-no-params")
  func noParameters() async throws {
    try await expectConfirmation([])
  }

  @Test("oidcc-rp-initiated-logout-only-state")
  func onlyState() async throws {
    try await expectConfirmation([("state", "x")])
  }

  private func expectConfirmation(_ parameters: [(String, String)]) async throws {
    let visit = try await LogoutVisit(harness)
    let page = try await visit.logout(parameters)
    #expect(page.status == 200 && page.location == nil)
    #expect(try await visit.isSignedIn())
    let done = try await visit.confirm(page)
    #expect(done.status == 200 && done.location == nil && done.text.contains("signed out"))
    #expect(try await !visit.isSignedIn())
  }

  @Test("oidcc-rp-initiated-logout-no-post-logout-redirect-uri")
  func noAddress() async throws {
    let visit = try await LogoutVisit(harness)
    let reply = try await visit.logout([("id_token_hint", visit.hint), ("state", "x")])
    #expect(reply.status == 200 && reply.location == nil && reply.text.contains("signed out"))
    #expect(try await !visit.isSignedIn())
  }
}
