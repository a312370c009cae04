import Database
import Jobs
import TestSupport
import Testing

@Suite("Statements of Jobs")
struct JobStatementTests {
  @Test func everyOnePrepares() async throws {
    let test = try await TestDatabase.shared()
    for type in Jobs.statements {
      await #expect(throws: Never.self, "\(type)") {
        try await describe(type, test.database)
      }
    }
  }

  private func describe<S: Statement>(_ type: S.Type, _ database: Database) async throws {
    _ = try await database.describe(type, in: nil)
  }
}
