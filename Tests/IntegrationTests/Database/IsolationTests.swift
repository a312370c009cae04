import Database
import FoundationEssentials
import TestSupport
import Testing

/// Design section 3: isolation is enforced by the database.
@Suite("Tenants cannot see each other")
struct IsolationTests {
  @Test("a statement for one tenant on another's table is refused by Postgres with 42501")
  func refused() async throws {
    let test = try await TestDatabase.shared()
    let (a, b) = (try await test.freshTenant().schema, try await test.freshTenant().schema)
    try await test.database.run(InsertPurpose(id: "mine"), in: b)
    // Run for A, but the text names B's schema.
    let foreign = [
      "select id from \(b.quoted).consent_purpose", "delete from \(b.quoted).consent_purpose",
      "create table \(a.quoted).own (id int)", "select * from control.organization",
      "drop table \(a.quoted).consent_purpose",
    ]
    for text in foreign {
      let state = try await sqlState {
        try await test.database.run(ComposedSQL(stringLiteral: text), in: a)
      }
      #expect(state == .insufficientPrivilege, "\(text)")
    }
    #expect(try await test.database.all(PurposeNames(), in: b) == ["mine"])
  }

  @Test("each statement runs under its tenant's role, the platform's under its own")
  func roles() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.connectionsMax = 1 }
    let (a, b) = (try await test.freshTenant().schema, try await test.freshTenant().schema)
    let platform = try await database.first(CurrentRole())
    for _ in 0..<3 {
      #expect(try await database.first(CurrentRole(), in: a) == a.name)
      #expect(try await database.first(CurrentRole(), in: b) == b.name)
      #expect(try await database.first(CurrentRole()) == platform)
    }
    // A failing statement takes SET ROLE back with it; the next one must not run under the wrong role.
    for schema in [a, b, a, a] {
      _ = try await sqlState { try await database.run(Fails(), in: schema) }
      #expect(try await database.first(CurrentRole(), in: b) == b.name)
      _ = try await sqlState { try await database.run(Fails()) }
      #expect(try await database.first(CurrentRole(), in: schema) == schema.name)
    }
  }

  @Test("a tenant that does not exist is an error, and the connection stays good")
  func unknownTenant() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.connectionsMax = 1 }
    let nobody = TenantSchema(id: UUID())
    let state = try await sqlState { _ = try await database.first(PurposeNames(), in: nobody) }
    // Postgres 15 says 22023 (invalid parameter value) for an unknown role.
    #expect(state != nil)
    #expect(try await database.first(Echo(value: 3)) == 3)
  }

  @Test("a backend that does not know the tenant's role to be ours is given up")
  func unknownMembership() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.connectionsMax = 1 }
    let schema = try await test.freshTenant().schema
    try await test.database.script("revoke \(schema.quoted) from current_user")
    let attempts: [@Sendable () async throws -> Void] = [
      { _ = try await database.all(PurposeNames(), in: schema) },
      { try await database.transaction(in: schema) { tx in _ = try await tx.all(PurposeNames()) } },
    ]
    for attempt in attempts {
      let backend = try await database.first(BackendID())
      let error = await #expect(throws: DatabaseError.self) { try await attempt() }
      #expect(error?.sqlState == .insufficientPrivilege)
      #expect(error?.isRetryable == true)
      #expect(try await database.first(BackendID()) != backend)
    }
    try await test.database.script("grant \(schema.quoted) to current_user")
    for attempt in attempts { try await attempt() }
  }

  @Test("a refused statement is not tried again, and its connection stays good")
  func refusedStatement() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.connectionsMax = 1 }
    let schema = try await test.freshTenant().schema
    // Whatever the connection has to learn of the role, it knows after this.
    _ = try await database.all(PurposeNames(), in: schema)
    let backend = try await database.first(BackendID())
    // The first one comes in one batch with SET ROLE, the second one alone.
    for _ in 0..<2 {
      let error = await #expect(throws: DatabaseError.self) {
        try await database.run("select * from control.organization", in: schema)
      }
      #expect(error?.sqlState == .insufficientPrivilege)
      #expect(error?.isRetryable == false)
    }
    #expect(try await database.first(BackendID()) == backend)
  }

  @Test("sixty tenants share two connections, and each sees its own rows only")
  func manyTenants() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.connectionsMax = 2 }
    var schemas: [TenantSchema] = []
    for _ in 0..<60 { schemas.append(try await test.freshTenant().schema) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for schema in schemas {
        group.addTask {
          try await database.run(InsertPurpose(id: schema.name), in: schema)
          for _ in 0..<20 {
            let names = try await database.all(PurposeNames(), in: schema)
            #expect(names == [schema.name])
            let count = try await database.transaction(in: schema) { tx in
              try await tx.all(PurposeNames()).count
            }
            #expect(count == 1)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(database.statistics.open <= 2)
  }

  @Test("a connection is replaced at once after eight times as many tenants as it should serve")
  func recycled() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another {
      $0.connectionsMax = 1
      $0.tenantsPerConnectionMax = 1
    }
    var backends: [Int] = []
    for _ in 0..<10 {
      let schema = try await test.freshTenant().schema
      backends.append(try #require(try await database.first(BackendID(), in: schema)))
    }
    #expect(Set(backends.prefix(9)).count == 1)
    #expect(backends[9] != backends[0])
  }

  @Test("a connection is replaced sooner where tenants begin on it")
  func recycledByBeginnings() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another {
      $0.connectionsMax = 1
      $0.tenantsPerConnectionMax = 16
    }
    var backends: Set<Int> = []
    for _ in 0..<6 {
      backends.insert(
        try await database.transaction { tx in
          // As where one is made and given its rows at once: it counts once.
          tx.beginTenant()
          tx.beginTenant()
          return try #require(await tx.platformFirst(BackendID()))
        })
    }
    #expect(backends.count == 2)
  }

  @Test("without roles (Citus) statements run as the platform, in the tenant's schema")
  func withoutRoles() async throws {
    let test = try await TestDatabase.shared()
    let database = test.another { $0.isolation = .schema }
    let schema = try await test.freshTenant().schema
    try await database.run(InsertPurpose(id: "x"), in: schema)
    #expect(try await database.all(PurposeNames(), in: schema) == ["x"])
    #expect(try await database.first(CurrentRole(), in: schema) == database.first(CurrentRole()))
  }
}

struct Fails: Statement {
  static let sql: SQL<Self> = "select 1 / 0"
}
