import Foundation
import NIOHTTP1
import Platform
import Testing

/// `oidcc-backchannel-rp-initiated-logout-certification-test-plan`.
@Suite("Conformance: Back-Channel RP-Initiated Logout")
struct BackChannelLogoutTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-backchannel-logout-discovery-endpoint-verification")
  func discovery() async throws {
    let tenant = try await harness.tenant()
    let document = try await tenant.metadata()
    #expect(document["backchannel_logout_supported"] == true)
    #expect(document["backchannel_logout_session_supported"] == true)
    #expect(document["end_session_endpoint"]?.stringValue == "\(tenant.issuer)/oidc/logout")
  }

  @Test("oidcc-backchannel-rp-initiated-logout")
  func logout() async throws {
    try await LoopbackServer.run { server in
      let visit = try await LogoutVisit(
        harness,
        [
          "backchannel_logout_uri": .string("\(server.address)/logout"),
          "backchannel_logout_session_required": true,
        ])
      let reply = try await visit.logout([
        ("id_token_hint", visit.hint), ("post_logout_redirect_uri", LogoutVisit.goodbye),
        ("state", "x"),
      ])
      #expect(reply.location == "\(LogoutVisit.goodbye)?state=x")
      #expect(try await !visit.isSignedIn())

      let received = try #require(try await server.received(1).first)
      #expect(received.method == .POST && received.uri == "/logout")
      #expect(received.headers["content-type"] == ["application/x-www-form-urlencoded"])
      // Exactly one parameter.
      let form = received.body.split(separator: "&").map { $0.split(separator: "=") }
      #expect(form.count == 1 && form.first?.first == "logout_token")
      let token = try #require(form.first?.last.map(String.init))
      let claims = try await visit.tenant.verified(token, type: "logout+jwt")
      #expect(claims["aud"]?.stringValue == visit.request.application.id)
      let age = Int(Date().timeIntervalSince1970) - (claims["iat"]?.integerValue ?? 0)
      #expect((-5...86_400).contains(age))
      #expect(claims["jti"]?.stringValue?.isEmpty == false)
      #expect(
        claims["events"] == ["http://schemas.openid.net/event/backchannel-logout": [:]])
      #expect(claims["nonce"] == nil)
      let signedIn = try ReadToken(visit.hint).claims
      #expect(claims["sid"] == signedIn["sid"] && claims["sub"] == signedIn["sub"])
      #expect(
        Set(claims.names) == ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "events"])
    }
  }
}
