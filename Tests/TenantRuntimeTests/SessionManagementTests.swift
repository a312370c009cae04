import Foundation
import Platform
@testable import Tenancy
@testable import TenantRuntime
import Testing

@Suite("Session Management 1.0 and Front-Channel Logout 1.0: what is computed")
struct SessionManagementTests {
  @Test(
    "RFC 6454 section 6.2: the origin of an address",
    arguments: [
      ("https://app.example.org/cb?x", "https://app.example.org"),
      ("HTTPS://App.Example.org:443", "https://app.example.org"),
      ("http://127.0.0.1:80/cb", "http://127.0.0.1"),
      ("http://localhost:3000#x", "http://localhost:3000"),
      ("https://app.example.org:8443/", "https://app.example.org:8443"),
      ("org.example.app:/callback", nil), ("custom://host/", nil), ("https:///x", nil),
      ("http://[::1]:3000/", nil), ("https://user@host/", nil), ("https://a;b/", nil),
      ("https://a b/", nil), ("x", nil),
    ] as [(String, String?)])
  func origin(_ address: String, _ expected: String?) {
    #expect(WebOrigin(address)?.text == expected)
  }

  private func client(_ uri: String?, needsSession: Bool = true) throws -> SessionClient {
    var object: JSONObject = ["redirect_uris": ["https://a.example/cb", "https://b.example/cb"]]
    object["frontchannel_logout_uri"] = uri.map { .string($0) }
    object["frontchannel_logout_session_required"] = .bool(needsSession)
    return SessionClient(
      session: ID(UUID()), user: ID(UUID()), client: try #require(ClientID("client")),
      logout: try ClientMetadata(stored: object).logout)
  }

  @Test("Both or none of iss and sid, every address once, exactly the origins")
  func frames() throws {
    let first = try client("https://a.example/out?x=1")
    let logout = FrontChannelLogout(
      [
        first, try client("https://b.example:8443/out", needsSession: false),
        try client("https://b.example:8443/out", needsSession: false), try client(nil),
      ], issuer: "https://id.example/t/acme")
    #expect(
      logout.frames == [
        "https://a.example/out?x=1&iss=https%3A%2F%2Fid.example%2Ft%2Facme&sid=\(first.session)",
        "https://b.example:8443/out",
      ])
    #expect(logout.origins == ["https://a.example", "https://b.example:8443"])
  }

  @Test(
    "Devices in words",
    arguments: [
      (nil, "A browser"), ("x", "A browser"),
      (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Safari/537.36",
        "Chrome on Linux"
      ),
      (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1",
        "Safari on iPhone"
      ),
      (
        "Mozilla/5.0 (Windows NT 10.0; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox on Windows"
      ),
      ("curl/8.0", "curl"),
    ] as [(String?, String)])
  func devices(_ agent: String?, _ words: String) {
    #expect(DeviceName.words(agent) == words)
  }
}
