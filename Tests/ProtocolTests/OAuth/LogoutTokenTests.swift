import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("OpenID Connect Back-Channel Logout 1.0 beyond the conformance modules")
struct LogoutTokenTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  private func metadata(_ server: LoopbackServer) -> JSONObject {
    ["backchannel_logout_uri": .string("\(server.address)/logout")]
  }

  private func claims(_ received: LoopbackServer.Received, _ tenant: TestTenant) async throws
    -> JSONObject
  {
    try await tenant.verified(
      String(received.body.dropFirst("logout_token=".count)), type: "logout+jwt")
  }

  @Test("Every application of the session is told, each with its own algorithm, and no other")
  func applications() async throws {
    try await LoopbackServer.run { server in
      let first = try await LogoutVisit(harness, metadata(server))
      let tenant = first.tenant
      var metadata = metadata(server)
      metadata["id_token_signed_response_alg"] = "EdDSA"
      let second = try await LogoutVisit(
        AuthorizationRequest(tenant, tenant.application(metadata)), first.person, first.browser)
      // Signed in, but in another browser; and without a back channel.
      let elsewhere = try await LogoutVisit(
        AuthorizationRequest(tenant, tenant.application(self.metadata(server))), first.person,
        Browser())
      _ = try await LogoutVisit(
        AuthorizationRequest(tenant, tenant.application()), first.person, first.browser)
      _ = try await first.logout([("id_token_hint", first.hint)])
      let received = try await server.received(2)
      var audiences: Set<String> = []
      for request in received {
        let claims = try await claims(request, tenant)
        #expect(claims["sid"]?.stringValue == (try first.sessionID))
        audiences.insert(claims["aud"]?.stringValue ?? "")
      }
      #expect(audiences == [first.request.application.id, second.request.application.id])
      #expect(try await elsewhere.isSignedIn())
      #expect(server.received.count == 2)
    }
  }

  @Test(
    "Also when the session ends otherwise",
    arguments: ["session", "user", "password", "disabled", "deleted", "page"])
  func otherEnds(_ way: String) async throws {
    try await LoopbackServer.run { server in
      let visit = try await LogoutVisit(harness, metadata(server))
      let user = "\(visit.tenant.path)/users/\(visit.person.id)"
      switch way {
      case "session":
        try await harness.admin.document(.DELETE, "\(user)/sessions/\(visit.sessionID)")
      case "user": try await harness.admin.document(.DELETE, "\(user)/sessions")
      case "password":
        try await harness.admin.document(.PATCH, user, ["password": "correct horse battery"])
      case "disabled": try await harness.admin.document(.PATCH, user, ["status": "disabled"])
      case "deleted": try await harness.admin.document(.DELETE, user)
      default:
        let page = try await visit.browser.open("\(visit.tenant.issuer)/account/sessions")
        _ = try await visit.browser.submit(
          page.reply, at: page.url, press: "end-\(visit.sessionID)")
      }
      let claims = try await claims(#require(await server.received(1).first), visit.tenant)
      #expect(claims["sid"]?.stringValue == (try visit.sessionID))
      #expect(try await !visit.isSignedIn())
    }
  }

  @Test("What fails is tried again, with another token; what is refused is not")
  func retries() async throws {
    try await LoopbackServer.run({ _, count in count == 1 ? .serviceUnavailable : .noContent }) {
      server in
      let visit = try await LogoutVisit(harness, metadata(server))
      _ = try await visit.logout([("id_token_hint", visit.hint)])
      let received = try await server.received(2)
      let ids = try await [
        claims(received[0], visit.tenant)["jti"], claims(received[1], visit.tenant)["jti"],
      ]
      #expect(ids[0] != ids[1])
    }
    try await LoopbackServer.run({ _, _ in .badRequest }) { server in
      let visit = try await LogoutVisit(harness, metadata(server))
      _ = try await visit.logout([("id_token_hint", visit.hint)])
      _ = try await server.received(1)
      let job = try await job(of: visit.tenant, in: "dead")
      #expect(job["error"]?.stringValue == "The application answered 400.")
      #expect(job["attempt"] == 1)
    }
  }

  @Test("An address that became unreachable does not keep anybody signed in")
  func unreachable() async throws {
    var address = ""
    try await LoopbackServer.run { address = $0.address }
    let visit = try await LogoutVisit(
      harness, ["backchannel_logout_uri": .string("\(address)/logout")])
    let reply = try await visit.logout([("id_token_hint", visit.hint)])
    #expect(reply.status == 200)
    #expect(try await !visit.isSignedIn())
    let job = try await job(of: visit.tenant, in: "available")
    // Another test may have been given the port since, and does not answer this.
    let sentences = [
      "The application could not be reached.", "The application did not answer in time.",
    ]
    #expect(sentences.contains(job["error"]?.stringValue ?? ""))
  }

  /// The only logout job of the organization, once it has failed.
  private func job(of tenant: TestTenant, in state: String) async throws -> JSON {
    let query = "jobs?kind=session.logout_token&organization=\(tenant.id)&state=\(state)"
    for _ in 0..<600 {
      let jobs = try await harness.admin.document(.GET, query)["jobs"]?.arrayValue ?? []
      if let job = jobs.first, job["error"]?.stringValue != nil { return job }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw TestFailure("No \(state) logout job of \(tenant.slug).")
  }
}
