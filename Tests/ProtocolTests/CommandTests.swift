import Foundation
import Platform
import Testing

/// The commands of an operator, in a pipe as at night.
@Suite("Commands")
struct CommandTests {
  private func variables(_ admin: AdminCredentials) -> [String] {
    [
      "TENURE_CLI_BASE_URL=\(admin.baseURL)", "TENURE_CLI_CLIENT_ID=\(admin.clientID)",
      "TENURE_CLI_CLIENT_SECRET=\(admin.clientSecret)",
    ]
  }

  @Test("Keys are rotated, and sessions and grants revoked, from the command line")
  func keysAndSessions() async throws {
    let harness = try await Harness.shared()
    let visit = try await LogoutVisit(harness)
    let tenant = visit.tenant
    func tenure(_ words: String...) throws -> String {
      try Shell.run("env", variables(harness.admin) + [TenureProcess.executable] + words)
    }
    #expect(try tenure("key", "list", tenant.slug).contains("current"))
    let rotated = try tenure("key", "rotate", tenant.slug, "--alg", "ES256")
    #expect(rotated.contains("previous") && rotated.matches(of: /ES256/).count == 2)
    #expect(throws: TestFailure.self) {
      _ = try tenure("key", "rotate", tenant.slug, "--alg", "HS256")
    }
    let withdrawn = try tenure("key", "rotate", tenant.slug, "--compromised", "--yes")
    #expect(withdrawn.matches(of: /retired/).count == 3)
    #expect(try await tenant.keys().count == 2)

    #expect(try tenure("user", "sessions", tenant.slug, visit.person.id).contains(visit.sessionID))
    _ = try tenure(
      "user", "sign-out", tenant.slug, visit.person.id, "--session", visit.sessionID)
    #expect(try await !visit.isSignedIn())
    let again = try await LogoutVisit(visit.request, visit.person, Browser())
    _ = try tenure("client", "revoke", tenant.slug, visit.request.application.id)
    #expect(try await tenant.userinfo(again.tokens["access_token"]).status == 401)
    #expect(try await again.isSignedIn())
    _ = try tenure("user", "sign-out", tenant.slug, visit.person.id)
    #expect(try await !again.isSignedIn())
  }

  @Test("A reader that goes away is no crash")
  func closedPipe() async throws {
    let admin = try await Harness.shared().admin
    let variables = variables(admin)
    let command = [TenureProcess.executable, "org", "show", "system"]
    #expect(try Shell.run("env", variables + command).contains("slug: system"))
    // `true` has ended long before the answer is there to be printed.
    try Shell.run(
      "env",
      variables + ["bash", "-c", "\"$@\" | true; exit ${PIPESTATUS[0]}", "bash"] + command)
  }
}
