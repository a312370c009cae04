import Database
import FoundationEssentials
import TestSupport
import Testing

@Suite("Statements of several tenants in one transaction")
struct TogetherTests {
  private let test: TestDatabase
  private let database: Database
  private let schemas: [TenantSchema]

  init() async throws {
    test = try await TestDatabase.shared()
    // One connection shows what a batch leaves behind.
    database = test.another { $0.connectionsMax = 1 }
    schemas = [
      try await test.freshTenant().schema, try await test.freshTenant().schema,
      try await test.freshTenant().schema,
    ]
  }

  private func insert(_ ids: [String]) async throws -> [Int] {
    try await database.run(
      together: zip(ids, schemas).map { TenantStatement(InsertPurpose(id: $0), in: $1) }, lane: 1,
      lockMilliseconds: 50)
  }

  private func culprit(_ work: () async throws -> Void) async throws -> (SQLState, Int?)? {
    do {
      try await work()
      return nil
    } catch let error as TogetherError {
      return (error.cause.sqlState, error.culprit)
    }
  }

  @Test("each runs under its tenant's role in its schema, prepared or not")
  func each() async throws {
    for round in 0..<4 {
      #expect(try await insert((0..<3).map { "\(round)-\($0)" }) == [1, 1, 1])
    }
    for (number, schema) in schemas.enumerated() {
      #expect(
        try await database.all(PurposeNames(), in: schema) == (0..<4).map { "\($0)-\(number)" })
      #expect(try await database.first(CurrentRole(), in: schema) == schema.name)
    }
    #expect(try await database.first(CurrentRole()) == test.database.first(CurrentRole()))
    // The limit for locks ended with the transaction.
    #expect(try await database.first(LockLimit()) == "0")
  }

  @Test("one that fails is named, and nothing of the others stays", arguments: 0..<3)
  func fails(_ number: Int) async throws {
    for _ in 0..<3 {
      try await test.database.run(InsertPurpose(id: "taken"), in: schemas[number])
      let failure = try await culprit { _ = try await insert(["taken", "taken", "taken"]) }
      #expect(failure?.0 == .uniqueViolation && failure?.1 == number)
      for schema in schemas {
        #expect(
          try await database.all(PurposeNames(), in: schema)
            == (schema == schemas[number] ? ["taken"] : []))
      }
      try await test.database.run(
        ComposedSQL(stringLiteral: "delete from \(schemas[number].quoted).consent_purpose"),
        in: nil)
    }
    #expect(try await insert(["a", "b", "c"]) == [1, 1, 1])
  }

  @Test("a lock is waited for so long, and a tenant that is gone is named")
  func locked() async throws {
    try await test.database.transaction(in: schemas[1]) { tx in
      try await tx.run(InsertPurpose(id: "b"))
      let failure = try await culprit { _ = try await insert(["a", "b", "c"]) }
      #expect(failure?.0 == .lockNotAvailable && failure?.1 == 1)
    }
    let gone = TenantStatement(InsertPurpose(id: "a"), in: TenantSchema(id: UUID()))
    let failure = try await culprit {
      _ = try await database.run(
        together: [TenantStatement(InsertPurpose(id: "a"), in: schemas[0]), gone], lane: 1,
        lockMilliseconds: 50)
    }
    #expect(failure?.1 == 1)
    #expect(try await database.all(PurposeNames(), in: schemas[0]) == [])
  }
}

private struct LockLimit: Statement {
  static let sql: SQL<Self> = "select current_setting('lock_timeout')"
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}
