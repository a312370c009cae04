import NIOHTTP1
import Foundation
import NIOHTTP1
import Platform
import Testing

/// `oidcc-session-management-certification-test-plan`.
@Suite("Conformance: Session Management")
struct SessionManagementTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-session-management-discovery-endpoint-verification")
  func discovery() async throws {
    let tenant = try await harness.tenant()
    let document = try await tenant.metadata()
    #expect(document["check_session_iframe"]?.stringValue == "\(tenant.issuer)/oidc/session")
    #expect(document["end_session_endpoint"]?.stringValue == "\(tenant.issuer)/oidc/logout")
  }

  @Test("oidcc-session-management-rp-initiated-logout")
  func logout() async throws {
    let visit = try await LogoutVisit(harness)
    let state = try #require(visit.back.locationParameter("session_state"))
    let frame = try #require(try await visit.tenant.metadata()["check_session_iframe"]?.stringValue)
    let message = "\(visit.request.application.id) \(state)"
    let application = "https://app.example.org"
    #expect(try await ask(frame, message, from: application, visit.browser) == "unchanged")
    // A state is of use to its own application only.
    #expect(try await ask(frame, message, from: "https://evil.example", visit.browser) == "changed")
    #expect(try await ask(frame, "x \(state)", from: application, visit.browser) == "changed")
    for malformed in ["", "x", "\(message) y", "\(visit.request.application.id) nosalt"] {
      #expect(try await ask(frame, malformed, from: application, visit.browser) == "error")
    }
    // Signing in again as the same user changes nothing.
    _ = try await visit.tenant.signIn(visit.person, with: visit.browser)
    #expect(try await ask(frame, message, from: application, visit.browser) == "unchanged")
    _ = try await visit.logout([("id_token_hint", visit.hint)])
    #expect(try await ask(frame, message, from: application, visit.browser) == "changed")
    // Nor does the next user have the state of the one before.
    _ = try await visit.tenant.signIn(visit.tenant.person(), with: visit.browser)
    #expect(try await ask(frame, message, from: application, visit.browser) == "changed")
  }

  @Test("Session Management section 3.3: the page may be framed by anybody and runs one script")
  func page() async throws {
    let tenant = try await harness.tenant()
    let reply = try await HTTP.get("\(tenant.issuer)/oidc/session")
    #expect(reply.status == 200 && reply.contentType == "text/html; charset=utf-8")
    let policy = try #require(reply.headers.first(name: "content-security-policy"))
    #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors *"))
    #expect(policy.contains("script-src 'sha256-") && !policy.contains("unsafe"))
    #expect(reply.headers["x-frame-options"].isEmpty)
    let login = try await HTTP.get("\(tenant.issuer)/login")
    #expect(login.headers.first(name: "x-frame-options") == "DENY")
    #expect(login.headers.first(name: "content-security-policy")?.contains("script-src") == false)
  }

  @Test(
    "Only the browser state is within reach of scripts, and an application without a web origin gets none"
  )
  func cookies() async throws {
    let visit = try await LogoutVisit(harness)
    let visible = visit.browser.scriptCookies(for: "\(visit.tenant.issuer)/oidc/session")
    #expect(visible.hasPrefix("tenure_browser_state=") && !visible.contains(";"))
    let application = try await visit.tenant.application([
      "application_type": "native", "redirect_uris": ["org.example.app:/callback"],
      "token_endpoint_auth_method": "none",
    ])
    var request = AuthorizationRequest(visit.tenant, application)
    request.scope = "openid"
    let back = try await request.authorize(visit.person, with: visit.browser)
    #expect(back.location?.contains("session_state") == false)
  }

  /// What the frame answers: its script as it is served, run by Node.js with the cookies that a script
  /// may see.
  private func ask(_ frame: String, _ message: String, from origin: String, _ browser: Browser)
    async throws -> String
  {
    let page = try await browser.get(frame).text
    let input: JSON = [
      "page": .string(page), "cookie": .string(browser.scriptCookies(for: frame)),
      "origin": .string(origin), "message": .string(message),
    ]
    let printed = try Shell.run("node", ["-e", Self.stage, input.text])
    let answer = try JSON.parse(Array(printed.utf8), limits: .request)
    // To its sender, and to nobody else.
    guard answer["to"]?.stringValue == origin else { throw TestFailure(printed) }
    return answer["text"]?.stringValue ?? ""
  }

  private static let stage = """
    const input = JSON.parse(process.argv[1]);
    const script = input.page.match(/<script>([^]*)<\\/script>/)[1];
    let listener;
    require("vm").runInNewContext(script, {
      document: { cookie: input.cookie }, crypto: require("crypto").webcrypto, TextEncoder, btoa,
      Uint8Array, addEventListener: (name, handler) => { if (name === "message") listener = handler; },
    });
    const source = { postMessage: (text, to) => process.stdout.write(JSON.stringify({ text, to })) };
    listener({ data: input.message, origin: input.origin, source });
    """
}
