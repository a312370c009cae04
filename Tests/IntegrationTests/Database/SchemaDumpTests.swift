import Database
import Foundation
import Platform
import TestSupport
import Testing

/// `migrations/schema.sql` is what all migrations together make; reviewers read it instead of running them.
///
/// After a migration, run this test with `TENURE_TEST_WRITE_SCHEMA=1` to write the file anew.
@Suite("The schema as a file")
struct SchemaDumpTests {
  @Test("migrations/schema.sql is the dump of control and of one tenant")
  func compared() async throws {
    let test = try await TestDatabase.fresh(migrated: true)
    let schema = try await test.freshTenant().schema
    let dump = try normalised(dump(of: ["control", schema.name], at: test.url.reveal()))
      .replacing(schema.name, with: "{tenant}")
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "../../../migrations/schema.sql")
    if ProcessInfo.processInfo.environment["TENURE_TEST_WRITE_SCHEMA"] == "1" {
      try Data(dump.utf8).write(to: file)
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    #expect(lines(of: dump).difference(from: lines(of: expected)).map(\.self).isEmpty)
  }

  private func dump(of schemas: [String], at url: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["pg_dump", "--schema-only", "--no-owner", "--no-privileges", "--dbname=\(url)"]
      + schemas.map { "--schema=\($0)" }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "pg_dump")
    return String(decoding: data, as: UTF8.self)
  }

  /// Without what depends on the server's version or says nothing: comments, settings, empty lines in a row.
  private func normalised(_ dump: String) -> String {
    let noise = ["--", "SET ", "SELECT pg_catalog.set_config", "\\restrict", "\\unrestrict"]
    var result: [Substring] = []
    for line in dump.split(separator: "\n", omittingEmptySubsequences: false) {
      if noise.contains(where: line.hasPrefix) { continue }
      if line.isEmpty, result.last?.isEmpty ?? true { continue }
      result.append(line)
    }
    while result.last?.isEmpty == true { result.removeLast() }
    return result.joined(separator: "\n") + "\n"
  }

  private func lines(of text: String) -> [Substring] { text.split(separator: "\n") }
}
