import Foundation
import Testing

/// The commands of an operator, in a pipe as at night.
@Suite("Commands")
struct CommandTests {
  @Test("A reader that goes away is no crash")
  func closedPipe() async throws {
    let admin = try await Harness.shared().admin
    let variables = [
      "TENURE_CLI_BASE_URL=\(admin.baseURL)", "TENURE_CLI_CLIENT_ID=\(admin.clientID)",
      "TENURE_CLI_CLIENT_SECRET=\(admin.clientSecret)",
    ]
    let command = [TenureProcess.executable, "org", "show", "system"]
    #expect(try Shell.run("env", variables + command).contains("slug: system"))
    // `true` has ended long before the answer is there to be printed.
    try Shell.run(
      "env",
      variables + ["bash", "-c", "\"$@\" | true; exit ${PIPESTATUS[0]}", "bash"] + command)
  }
}
