import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// Nothing personal and nothing secret is in the log, at its most talkative, in metrics or in traces.
@Suite("Logs, metrics and traces keep silent")
struct SilenceTests {
  @Test("The whole story, and no trace of the person", .timeLimit(.minutes(10)))
  func story() async throws {
    let deployment = try await Deployment()
    let port = try Deployment.freePort()
    let collector = try await Collector(in: deployment.folder)
    let server = try await deployment.serve(
      roles: "control,runtime,worker", internalPort: port,
      environment: [
        "TENURE_LOG_LEVEL": "trace", "TENURE_TRACES_ENDPOINT": collector.endpoint,
      ])
    let tap = Wiretap()
    let (person, tenant) = try await Wiretap.$current.withValue(tap) {
      try await tell(of: deployment)
    }
    let metrics = try await HTTP.get("http://127.0.0.1:\(port)/metrics").text
    let served = server.printed()
    try await server.end(SIGTERM)

    let log = server.printed()
    for (place, text) in [("log", log), ("metrics", metrics), ("traces", collector.text)] {
      let speaks = text.contains(tenant.slug)
      #expect(speaks, "the \(place) says nothing of this story")
      let masterKey = deployment.environment["TENURE_MASTER_KEY"] ?? ""
      let own =
        (person.traces + [person.password, person.id]).map { ("the person", $0) }
        + [("the master key", masterKey)]
      for (what, value) in tap.secrets.map({ ($0.what, $0.value) }) + own {
        let isSilent = !text.contains(value)
        #expect(isSilent, "\(what) is in the \(place): \(Self.line(of: value, in: text))")
      }
    }
    // Where clients are is personal, too; before they come, the process says where it listens.
    let lines = served.split(separator: "\n")
      .drop { !$0.contains("\"message\":\"listening\"") }.dropFirst()
    #expect(lines.count > 20)
    #expect(lines.filter { $0.contains("127.0.0.1") } == [])
    let kinds = Set(tap.secrets.map { String($0.what.prefix { $0 != " " }) })
    #expect(
      kinds.isSuperset(of: ["authorization", "client", "cookie", "parameter", "member", "package"]),
      "the tap heard only \(kinds)")
    #expect(tap.secrets.count > 30)
    try await collector.process.end(SIGTERM)
  }

  /// Sign-in, tokens, mistakes, export and erasure.
  private func tell(of deployment: Deployment) async throws -> (TestPerson, TestTenant) {
    let tenant = try await TestTenant(deployment.admin)
    let person = try await tenant.person()
    let application = try await tenant.application()
    let request = AuthorizationRequest(tenant, application)
    let browser = Browser()
    let tokens = try await request.tokens(person, with: browser)
    let access = try #require(tokens["access_token"]?.stringValue)
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    let userinfo = "\(tenant.issuer)/oidc/userinfo"
    let bearer = [("authorization", "Bearer \(access)")]
    #expect(try await HTTP.get(userinfo, headers: bearer).status == 200)
    for path in ["introspect", "revoke"] {
      let reply = try await HTTP.post(
        form: [("token", access)], to: "\(tenant.issuer)/oauth2/\(path)",
        headers: [application.basic])
      #expect(reply.status == 200)
    }
    #expect(try await request.refresh(refresh).status == 200)
    try await mistakes(person, tenant, request)

    for kind in ["export", "erasure"] {
      let opened = try await tenant.admin.document(
        .POST, "\(tenant.path)/privacy/requests",
        ["kind": .string(kind), "subject": ["email": .string(person.email)]])
      let id = try #require(opened["id"]?.stringValue)
      let done = try await tenant.finished(request: id)
      #expect(done["state"] == "fulfilled", "\(done.text)")
      if let address = done["package"]?["url"]?.stringValue {
        #expect(try await HTTP.get(address).status == 200)
      }
    }
    return (person, tenant)
  }

  /// Everything that is refused has a reason in the log; none may quote what was sent.
  private func mistakes(
    _ person: TestPerson, _ tenant: TestTenant, _ request: AuthorizationRequest
  ) async throws {
    let issuer = tenant.issuer
    let browser = Browser()
    let page = try await browser.open(request.url)
    let wrong = try await browser.submit(
      page.reply, at: page.url,
      fill: [("username", person.username), ("password", "wrong-\(person.password)")],
      press: "submit")
    #expect(wrong.reply.status == 403)
    _ = try await browser.submit(
      page.reply, at: page.url,
      fill: [("username", person.password), ("password", person.username)], press: "submit")
    for form in [
      [("grant_type", "authorization_code"), ("code", "guess-\(UUID().uuidString)")],
      [("grant_type", "refresh_token"), ("refresh_token", "guess-\(UUID().uuidString)")],
      [("grant_type", "password"), ("username", person.email), ("password", person.password)],
      [("grant_type", "authorization_code"), ("code", person.email), ("code", person.password)],
    ] { #expect(try await request.token(form).status >= 400) }
    for address in [
      "\(issuer)/oidc/userinfo?access_token=\(person.password)",
      "\(issuer)/\(person.email)", "\(issuer)/login?continue=\(HTTP.escape(person.email))",
      "\(issuer)/oauth2/authorize?client_id=\(HTTP.escape(person.email))&state=\(person.password)",
      "\(tenant.admin.baseURL)/t/\(HTTP.escape(person.email))/login",
      "\(tenant.admin.baseURL)/admin/v1/\(tenant.path)/users/\(HTTP.escape(person.email))",
    ] {
      let reply = try await HTTP.get(
        address, headers: [("authorization", "Bearer \(person.password)")])
      #expect(reply.status >= 400, "\(address)")
    }
    let taken = try await tenant.admin.call(
      .POST, "\(tenant.path)/users",
      ["username": .string(person.username), "email": .string(person.email)])
    #expect(taken.status == 409, "\(taken)")
    let bad = try await tenant.admin.call(
      .POST, "\(tenant.path)/users",
      ["username": .string(person.username), "email": .string("not \(person.email)"), "x": 1])
    #expect(bad.status == 422, "\(bad)")
  }

  private static func line(of value: String, in text: String) -> String {
    text.split(separator: "\n").first { $0.contains(value) }.map { String($0.prefix(600)) } ?? ""
  }
}
