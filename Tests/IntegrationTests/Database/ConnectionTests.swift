import Database
import FoundationEssentials
import Logging
import Platform
import TestSupport
import Testing

@Suite("Connections")
struct ConnectionTests {
  @Test(
    "a statement that takes too long is cancelled by the server, and the connection is good again")
  func statementTimeout() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another {
      $0.connectionsMax = 1
      $0.statementSeconds = 1
    }
    let backend = try await database.first(BackendID())
    let state = try await sqlState { try await database.run(Sleep(seconds: 60)) }
    #expect(state == .queryCanceled)
    #expect(try await database.first(BackendID()) == backend)
  }

  @Test(
    "a backend killed in the middle of a statement is an error that says so, and the pool heals")
  func killedWhileRunning() async throws {
    let test = try await TestDatabase.fresh(migrated: false)
    let database = test.another { $0.connectionsMax = 1 }
    let running = async_(on: database, Sleep(seconds: 60))
    async let outcome = running()
    let backend = try await eventually {
      try await test.database.first(BackendsRunning(fragment: "pg_sleep"))
    }
    try await test.database.run(Terminate(backend: backend))
    #expect(try await outcome == .adminShutdown)
    #expect(try await database.first(Echo(value: 4)) == 4)
  }

  @Test("a backend killed in a transaction fails the transaction, which is not run again")
  func killedInTransaction() async throws {
    let test = try await TestDatabase.fresh(migrated: false)
    let database = test.another { $0.connectionsMax = 1 }
    let runs = Shared(0)
    let state = try await sqlState {
      try await database.transaction { tx in
        _ = runs.increment()
        let backend = try await tx.first(BackendID()) ?? 0
        try await test.database.run(Terminate(backend: Int32(backend)))
        try await gone(backend, test.database)
        _ = try await tx.first(Echo(value: 1))
      }
    }
    #expect(state == .adminShutdown || state == .connectionLost)
    #expect(runs.withLock { $0 } == 1)
    #expect(try await database.first(Echo(value: 4)) == 4)
  }

  @Test("killed while idle, connections are replaced without anybody noticing")
  func killedWhileIdle() async throws {
    let test = try await TestDatabase.fresh(migrated: false)
    let database = test.another { $0.connectionsMax = 8 }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { try await database.run(Sleep(seconds: 0.05)) } }
      try await group.waitForAll()
    }
    for backend in try await test.database.all(Backends()) {
      try await test.database.run(Terminate(backend: backend))
      try await gone(Int(backend), test.database)
    }
    for value in 0..<20 { #expect(try await database.first(Echo(value: value)) == value) }
  }

  @Test("a wrong password is refused at once, with the server's reason")
  func wrongPassword() async throws {
    let url = try TestServices.databaseURL()
    // The private server trusts everybody, so a role that cannot log in stands in for a wrong password.
    let nobody = "://nobody-\(UUID().uuidString)"
    let wrong = url.map { $0.replacing("://tenure", with: nobody) }
    let database = service(wrong) { $0.waitSeconds = 120 }
    let start = ContinuousClock.now
    let error = try await #require(throws: DatabaseError.self) {
      try await database.first(Echo(value: 1))
    }
    #expect(error.sqlState == .invalidPassword || error.sqlState.rawValue == "28000")
    // Long before the caller's time is over, also on a slow machine.
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(error.isUnavailable == false)
    #expect(!String(reflecting: error).contains(wrong.reveal()))
  }

  @Test("an unknown database is refused at once")
  func unknownDatabase() async throws {
    let database = service(try TestServices.databaseURL().naming(database: "no_such_database"))
    #expect(try await sqlState { try await database.run(Echo(value: 1)) } == .invalidDatabase)
  }

  @Test("a server that is not there fails the caller when its time is over, not before")
  func noServer() async throws {
    let database = service(Secret("postgresql://nobody@127.0.0.1:1/x")) { $0.waitSeconds = 1 }
    let start = ContinuousClock.now
    let error = try await #require(throws: DatabaseError.self) {
      try await database.first(Echo(value: 1))
    }
    #expect(error.sqlState == .cannotConnect)
    #expect(error.isUnavailable)
    #expect(ContinuousClock.now - start >= .milliseconds(900))
  }

  @Test("ten thousand callers at once are all served by a few connections")
  func tenThousandCallers() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another {
      $0.connectionsMax = 4
      $0.waitSeconds = 300
    }
    let sum = try await withThrowingTaskGroup(of: Int.self) { group in
      for value in 1...10_000 {
        group.addTask { try await database.first(Echo(value: value)) ?? 0 }
      }
      return try await group.reduce(0, +)
    }
    #expect(sum == 50_005_000)
    #expect(database.statistics.open <= 4)
    #expect(database.statistics.waiting == 0)
  }

  @Test("no caller is forgotten between looking for a connection and standing in line")
  func nobodyForgotten() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another {
      $0.connectionsMax = 2
      $0.waitSeconds = 20
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<3 {
        group.addTask {
          for value in 0..<4_000 { _ = try await database.first(Echo(value: value)) }
        }
      }
      try await group.waitForAll()
    }
    #expect(database.statistics.waiting == 0)
  }

  @Test("a tenant's statements keep to a few connections, so that the others need not learn it")
  func homes() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.connectionsMax = 8 }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { try await database.run(Sleep(seconds: 0.2)) } }
      try await group.waitForAll()
    }
    var schemas: [TenantSchema] = []
    for _ in 0..<12 { schemas.append(try await test.freshTenant().schema) }
    var backends: [TenantSchema: Set<Int>] = [:]
    for _ in 0..<5 {
      for schema in schemas {
        let backend = try #require(try await database.first(BackendID(), in: schema))
        backends[schema, default: []].insert(backend)
      }
    }
    #expect(backends.values.allSatisfy { $0.count <= 2 })
    #expect(backends.values.reduce(into: Set<Int>()) { $0.formUnion($1) }.count > 2)
  }

  @Test("a tenant that needs more connections than its homes gets them")
  func outgrown() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.connectionsMax = 6 }
    let schema = try await test.freshTenant().schema
    let (arrivals, arrive) = AsyncStream<Int>.makeStream()
    let backends = await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<6 {
        group.addTask {
          try await database.transaction(in: schema) { tx in
            arrive.yield(try await tx.first(BackendID()) ?? 0)
            // Until all six are there.
            while !Task.isCancelled { try await Task.sleep(for: .seconds(60)) }
          }
        }
      }
      var backends: Set<Int> = []
      for await backend in arrivals {
        backends.insert(backend)
        if backends.count == 6 { break }
      }
      group.cancelAll()
      while let result = await group.nextResult() { _ = result }
      return backends
    }
    #expect(backends.count == 6)
  }

  @Test("whoever waits too long for a connection is told, and one too many is told at once")
  func waitingLimits() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another {
      $0.connectionsMax = 1
      $0.waitSeconds = 1
      $0.waitersMax = 2
    }
    try await database.transaction { tx in
      _ = try await tx.first(Echo(value: 0))
      let states = try await withThrowingTaskGroup(of: SQLState?.self) { group in
        for value in 0..<5 {
          group.addTask { try await sqlState { try await database.run(Echo(value: value)) } }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(states == Array(repeating: .tooManyConnections, count: 5))
    }
    #expect(try await database.first(Echo(value: 9)) == 9)
  }

  @Test("a cancelled caller stops waiting for a connection")
  func cancelledInLine() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another {
      $0.connectionsMax = 1
      $0.waitSeconds = 300
    }
    try await database.transaction { tx in
      _ = try await tx.first(Echo(value: 0))
      try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
          do { return try await database.first(Echo(value: 1)) == nil } catch is CancellationError {
            return true
          }
        }
        try await eventually { database.statistics.waiting == 1 ? true : nil }
        group.cancelAll()
        for try await cancelled in group { #expect(cancelled) }
      }
    }
    #expect(database.statistics.waiting == 0)
    #expect(try await database.first(Echo(value: 9)) == 9)
  }

  @Test("a cancelled statement is cancelled on the server too, and its connection is replaced")
  func cancelledStatement() async throws {
    let test = try await TestDatabase.fresh(migrated: false)
    let database = test.another { $0.connectionsMax = 1 }
    for _ in 0..<5 {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          await #expect(throws: CancellationError.self) {
            try await database.run(Sleep(seconds: 600))
          }
        }
        _ = try await eventually {
          try await test.database.first(BackendsRunning(fragment: "pg_sleep"))
        }
        group.cancelAll()
        try await group.waitForAll()
      }
      #expect(try await database.first(Echo(value: 9)) == 9)
    }
    try await eventually {
      try await test.database.all(BackendsRunning(fragment: "pg_sleep")).isEmpty ? true : nil
    }
  }

  @Test("cancelled at any moment, statements never get somebody else's answer")
  func cancelledAtRandom() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.connectionsMax = 3 }
    for round in 0..<40 {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for value in 0..<20 {
          group.addTask {
            do {
              for step in 0..<10 {
                let sent = round * 1000 + value * 10 + step
                let received = try await database.first(Echo(value: sent))
                #expect(received == sent)
              }
            } catch is CancellationError {}
          }
        }
        for _ in 0..<(round * 20) { await Task.yield() }
        group.cancelAll()
        try await group.waitForAll()
      }
    }
    #expect(try await database.first(Echo(value: 9)) == 9)
  }

  @Test("a closed database refuses, whoever waits included")
  func closed() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.connectionsMax = 1 }
    _ = try await database.first(Echo(value: 1))
    database.close()
    #expect(try await sqlState { try await database.run(Echo(value: 1)) } == .cannotConnect)
  }

  private func service(
    _ url: Secret<String>, _ adjust: (inout DatabaseSettings) -> Void = { _ in }
  ) -> Database {
    var read = SettingsReader.documentation
    var settings = DatabaseSettings(&read)
    adjust(&settings)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return Database(url: url, settings: settings, logger: logger)
  }

  private func async_<S: Statement>(
    on database: Database, _ statement: S
  ) -> @Sendable () async throws -> SQLState? {
    { try await sqlState { try await database.run(statement) } }
  }

  private func gone(_ backend: Int, _ database: Database) async throws {
    try await eventually {
      try await database.all(Backends()).contains(Int32(backend)) ? nil : true
    }
  }
}

@Suite("Prepared statements")
struct PreparedStatementTests {
  @Test("statements of tenants are kept up to a limit")
  func bounded() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another {
      $0.connectionsMax = 1
      $0.preparedStatementsMax = 5
    }
    var schemas: [TenantSchema] = []
    for _ in 0..<8 { schemas.append(try await test.freshTenant().schema) }
    for _ in 0..<3 {
      for schema in schemas { _ = try await database.all(PurposeName(id: "a"), in: schema) }
    }
    #expect(try await database.first(PreparedCount()) == 5)
  }

  @Test("a failing statement does not lose its preparation, nor make a new one each time")
  func failing() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.connectionsMax = 1 }
    for _ in 0..<6 { _ = try await sqlState { try await database.run(Fails()) } }
    // The question itself is the second.
    #expect(try await database.first(PreparedCount()) == 2)
    for _ in 0..<6 {
      _ = try await sqlState {
        try await database.transaction { tx in
          _ = try await tx.first(Echo(value: 1))
          try await tx.run(Fails())
        }
      }
    }
    #expect(try await database.first(PreparedCount()) == 3)
  }

  @Test("a migration under a prepared statement is noticed, and the statement parsed again")
  func stalePlan() async throws {
    let test = try await TestDatabase.fresh(migrated: false)
    let database = test.another { $0.connectionsMax = 1 }
    try await test.database.script(
      "create table thing (a bigint primary key); insert into thing values (1)")
    for _ in 0..<4 { #expect(try await database.first(Everything()) == 1) }
    try await test.database.script("alter table thing alter a type integer")
    #expect(try await database.first(Everything()) == 1)
    for _ in 0..<4 { #expect(try await database.first(Everything()) == 1) }
    try await test.database.script("alter table thing alter a type bigint")
    let value = try await database.transaction { tx in try await tx.first(Everything()) }
    #expect(value == 1)
  }
}

private struct PurposeName: Statement {
  let id: String
  static let isPlannedOnce = true
  static let sql: SQL<Self> = "select name from \(tenant).consent_purpose where id = \(\.id)"
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

private struct Everything: Statement {
  static let sql: SQL<Self> = "select a from thing"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}
