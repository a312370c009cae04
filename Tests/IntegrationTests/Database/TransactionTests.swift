import Database
import FoundationEssentials
import TestSupport
import Testing

@Suite("Transactions")
struct TransactionTests {
  struct Refusal: Error {}

  @Test("a return commits, a throw rolls back")
  func ends() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    try await test.database.transaction(in: schema) { tx in
      try await tx.run(InsertPurpose(id: "kept"))
    }
    await #expect(throws: Refusal.self) {
      try await test.database.transaction(in: schema) { tx in
        try await tx.run(InsertPurpose(id: "lost"))
        throw Refusal()
      }
    }
    #expect(try await test.database.all(PurposeNames(), in: schema) == ["kept"])
  }

  @Test("a refusal that is returned commits what came before it")
  func returnedRefusal() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    let outcome: Result<Int, Refusal> = try await test.database.transaction(in: schema) { tx in
      try await tx.run(InsertPurpose(id: "kept"))
      return .failure(Refusal())
    }
    #expect(throws: Refusal.self) { try outcome.get() }
    #expect(try await test.database.all(PurposeNames(), in: schema) == ["kept"])
  }

  @Test("an error that the body swallows does not commit")
  func swallowedError() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    let state = try await sqlState {
      try await test.database.transaction(in: schema) { tx in
        try await tx.run(InsertPurpose(id: "lost"))
        _ = try? await tx.run(Fails())
        _ = try? await tx.run(InsertPurpose(id: "lost too"))
      }
    }
    #expect(state == SQLState(rawValue: "22012"))
    #expect(try await test.database.all(PurposeNames(), in: schema) == [])
  }

  @Test("one statement under the platform's role, then the tenant's again")
  func platformStatement() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    let platform = try await test.database.first(CurrentRole())
    try await test.database.transaction(in: tenant.schema) { tx in
      #expect(try await tx.first(CurrentRole()) == tenant.schema.name)
      #expect(try await tx.platformFirst(CurrentRole()) == platform)
      try await tx.run(InsertPurpose(id: "x"))
      #expect(
        try await tx.platformFirst(OrganizationSlug(id: tenant.organization))?.isEmpty == false)
      #expect(try await tx.first(CurrentRole()) == tenant.schema.name)
    }
    let roles = try await test.database.transaction { tx in
      [
        try await tx.first(CurrentRole()), try await tx.first(CurrentRole(), in: tenant.schema),
        try await tx.first(CurrentRole()),
      ]
    }
    #expect(roles == [platform, tenant.schema.name, platform])
  }

  @Test("effects run after the commit only")
  func effects() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    let count = Shared(0)
    try await test.database.transaction(in: schema) { tx in
      tx.onCommit { count.withLock { $0 += 1 } }
      try await tx.run(InsertPurpose(id: "a"))
      #expect(count.withLock { $0 } == 0)
    }
    #expect(count.withLock { $0 } == 1)
    await #expect(throws: Refusal.self) {
      try await test.database.transaction(in: schema) { tx in
        tx.onCommit { count.withLock { $0 += 1 } }
        try await tx.run(InsertPurpose(id: "b"))
        throw Refusal()
      }
    }
    #expect(count.withLock { $0 } == 1)
  }

  @Test("a serialization failure runs the body again")
  func serialization() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    try await test.database.run(InsertPurpose(id: "counter"), in: schema)
    let runs = Shared(0)
    try await test.database.transaction(in: schema, isolation: .serializable) { tx in
      let run = runs.increment()
      let version = try await tx.first(PurposeVersion(id: "counter")) ?? 0
      // Twice, somebody else is faster.
      if run <= 2 { try await test.database.run(TouchPurpose(id: "counter"), in: schema) }
      try await tx.run(SetPurposeVersion(id: "counter", version: version + 10))
    }
    #expect(runs.withLock { $0 } == 3)
    #expect(try await test.database.first(PurposeVersion(id: "counter"), in: schema) == 13)
  }

  @Test("a body that fails to serialize again and again fails with 40001")
  func serializationGivenUp() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    try await test.database.run(InsertPurpose(id: "counter"), in: schema)
    let runs = Shared(0)
    let state = try await sqlState {
      try await test.database.transaction(in: schema, isolation: .serializable) { tx in
        _ = runs.increment()
        _ = try await tx.first(PurposeVersion(id: "counter"))
        try await test.database.run(TouchPurpose(id: "counter"), in: schema)
        try await tx.run(SetPurposeVersion(id: "counter", version: 0))
      }
    }
    #expect(state == .serializationFailure)
    #expect(runs.withLock { $0 } == 4)
  }

  @Test("of two transactions in a deadlock one is run again, and both commit")
  func deadlock() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    try await test.database.run(InsertPurpose(id: "a"), in: schema)
    try await test.database.run(InsertPurpose(id: "b"), in: schema)
    let runs = Shared(0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (first, second) in [("a", "b"), ("b", "a")] {
        group.addTask {
          try await test.database.transaction(in: schema) { tx in
            let run = runs.increment()
            try await tx.run(TouchPurpose(id: first))
            // Until both hold their first row.
            while run <= 2, runs.withLock({ $0 }) < 2 { await Task.yield() }
            _ = try await tx.first(Echo(value: 1))
            try await tx.run(TouchPurpose(id: second))
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await test.database.first(PurposeVersion(id: "a"), in: schema) == 3)
    #expect(try await test.database.first(PurposeVersion(id: "b"), in: schema) == 3)
  }

  @Test("a connection lost while COMMIT is under way leaves an unknown outcome, and says so")
  func unknownOutcome() async throws {
    let test = try await TestDatabase.fresh(migrated: false)
    try await test.database.script(
      """
      create table slow (id int primary key);
      create function nap() returns trigger language plpgsql as 'begin perform pg_sleep(20); return null; end';
      create constraint trigger nap after insert on slow deferrable initially deferred
        for each row execute function nap()
      """)
    let outcome = Shared<SQLState?>(nil)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let state = try await sqlState {
          try await test.database.transaction { tx in
            _ = try await tx.run("insert into slow values (1)")
          }
        }
        outcome.withLock { $0 = state }
      }
      let backend = try await eventually {
        try await test.database.first(BackendsRunning(fragment: "commit"))
      }
      try await test.database.run(Terminate(backend: backend))
      try await group.waitForAll()
    }
    #expect(outcome.withLock { $0 } == .commitOutcomeUnknown)
    #expect(try await test.database.first(Echo(value: 1)) == 1)
  }

  @Test("a cancelled transaction leaves nothing behind, and the connection is not reused")
  func cancelled() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await #expect(throws: CancellationError.self) {
          try await test.database.transaction(in: schema) { tx in
            try await tx.run(InsertPurpose(id: "lost"))
            try await tx.run(Sleep(seconds: 30.25))
          }
        }
      }
      let found: Int32? = try? await eventually {
        try await test.database.first(BackendsRunning(fragment: "pg_sleep"))
      }
      #expect(found != nil)
      group.cancelAll()
    }
    #expect(try await test.database.all(PurposeNames(), in: schema) == [])
    // A row lock of the cancelled transaction would block this.
    try await test.database.run(InsertPurpose(id: "lost"), in: schema)
  }

  @Test("a script is one transaction: all of it or nothing")
  func scripts() async throws {
    let test = try await TestDatabase.fresh(migrated: false)
    let state = try await sqlState {
      try await test.database.script(
        "create table a (id int primary key); insert into a values (1), (1)")
    }
    #expect(state == .uniqueViolation)
    let missing = try await sqlState {
      try await test.database.run("insert into a values (1)", in: nil)
    }
    #expect(missing == .undefinedTable)
    try await test.database.transaction { tx in
      try await tx.script("create table a (id int primary key); insert into a values (1)")
      try await tx.run("insert into a values (2)")
    }
    #expect(try await test.database.run("delete from a", in: nil) == 2)
  }
}

private struct OrganizationSlug: Statement {
  let id: UUID
  static let sql: SQL<Self> = "select slug from control.organization where id = \(\.id)"
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

private struct PurposeVersion: Statement {
  let id: String
  static let sql: SQL<Self> =
    "select notice_version from \(tenant).consent_purpose where id = \(\.id)"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

private struct SetPurposeVersion: Statement {
  let id: String
  let version: Int
  static let sql: SQL<Self> = """
    update \(tenant).consent_purpose set notice_version = \(\.version) where id = \(\.id)
    """
}

private struct TouchPurpose: Statement {
  let id: String
  static let sql: SQL<Self> = """
    update \(tenant).consent_purpose set notice_version = notice_version + 1 where id = \(\.id)
    """
}
