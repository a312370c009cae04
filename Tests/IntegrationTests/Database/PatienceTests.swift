import Database
import TestSupport
import Testing

@Suite("The time a statement may take")
struct PatienceTests {
  @Test("ends on both sides, unless the transaction lifts it, and only for that one")
  func lifted() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { settings in
      settings.statementSeconds = 1
      settings.connectionsMax = 1
    }
    defer { database.close() }
    // Longer than the server's limit, and than the grace on this side.
    try await database.transaction { tx in
      try await tx.liftStatementLimit()
      try await tx.run(Sleep(seconds: 6.5))
    }
    let state = try await sqlState {
      try await database.transaction { tx in _ = try await tx.run(Sleep(seconds: 3)) }
    }
    #expect(state == .queryCanceled)
  }
}
