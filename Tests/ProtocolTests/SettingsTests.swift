import Foundation
import Testing

/// What the documentation says of the settings is what the product declares.
@Suite("Settings")
struct SettingsTests {
  @Test("The table in the README is the one the product prints")
  func table() async throws {
    let settings = try await TenureProcess(
      ["settings", "--markdown"], environment: [:], folder: FileManager.default.temporaryDirectory)
    #expect(try await settings.wait() == 0)
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
    let table = settings.printed().trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(table.contains("TENURE_DATABASE_URL"))
    #expect(readme.contains(table), "write the table anew: make settings")
  }

  @Test("Unknown and bad settings are reported together")
  func problems() async throws {
    let serve = try await TenureProcess(
      ["serve"],
      environment: ["TENURE_HTTP_PORT": "much", "TENURE_HTPT_PORT": "1", "TENURE_MASTER_KEY": "x"],
      folder: FileManager.default.temporaryDirectory)
    #expect(try await serve.wait() != 0)
    let printed = serve.printed()
    for name in ["TENURE_HTTP_PORT", "TENURE_HTPT_PORT", "TENURE_DATABASE_URL"] {
      #expect(printed.contains(name), "\(printed)")
    }
  }

  @Test("Another master key than the database's is a sentence and a status")
  func masterKey() async throws {
    let deployment = try await Deployment()
    let serve = try await TenureProcess(
      ["serve"],
      environment: deployment.environment.merging(
        ["TENURE_MASTER_KEY": String(repeating: "B", count: 42) + "A"]) { $1 },
      folder: deployment.folder)
    #expect(try await serve.wait() != 0)
    #expect(serve.printed().contains("TENURE_MASTER_KEY is not the key"), "\(serve.printed())")
  }
}
