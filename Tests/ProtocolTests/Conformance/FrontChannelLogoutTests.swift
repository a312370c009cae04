import NIOHTTP1
import Foundation
import NIOHTTP1
import Platform
import Testing

/// `oidcc-frontchannel-rp-initiated-logout-certification-test-plan`.
@Suite("Conformance: Front-Channel RP-Initiated Logout")
struct FrontChannelLogoutTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-frontchannel-logout-discovery-endpoint-verification")
  func discovery() async throws {
    let tenant = try await harness.tenant()
    let document = try await tenant.metadata()
    #expect(document["frontchannel_logout_supported"] == true)
    #expect(document["frontchannel_logout_session_supported"] == true)
    #expect(document["end_session_endpoint"]?.stringValue == "\(tenant.issuer)/oidc/logout")
  }

  @Test("oidcc-frontchannel-rp-initiated-logout")
  func logout() async throws {
    let visit = try await LogoutVisit(
      harness,
      [
        "frontchannel_logout_uri": "https://app.example.org/front?a=b",
        "frontchannel_logout_session_required": true,
      ])
    let page = try await visit.logout([
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", LogoutVisit.goodbye),
      ("state", "x&y"),
    ])
    #expect(page.status == 200 && page.location == nil)
    let frames = page.text.matches(of: /<iframe[^>]* src="([^"]*)"/).map { String($0.1) }
    #expect(frames.count == 1)
    // `iss` and `sid`, and nothing but what the application registered itself.
    let items = URLComponents(
      string: (frames.first ?? "").replacing("&amp;", with: "&"))?.queryItems
    #expect(items?.map(\.name) == ["a", "iss", "sid"])
    #expect(items?.first { $0.name == "iss" }?.value == visit.tenant.issuer)
    #expect(try items?.first { $0.name == "sid" }?.value == visit.sessionID)
    let policy = try #require(page.headers.first(name: "content-security-policy"))
    #expect(policy.contains("frame-src https://app.example.org;"))
    #expect(!policy.contains("script-src"))
    // Then on to the application.
    let goodbye = "\(LogoutVisit.goodbye)?state=x%26y"
    #expect(page.headers.first(name: "refresh")?.hasSuffix("; url=\(goodbye)") == true)
    #expect(page.text.contains("id=\"continue\" href=\"\(goodbye)\""))
    #expect(try await !visit.isSignedIn())
  }
}
