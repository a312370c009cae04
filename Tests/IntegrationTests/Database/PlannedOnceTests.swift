import Compliance
import ControlPlane
import FoundationEssentials
import TenantRuntime
import Tenancy
import TestSupport
import Testing

@testable import Database

@Suite("Decision 0016: statements that are planned once")
struct PlannedOnceTests {
  @Test(
    "every plan looks rows up by their keys, though every table is empty",
    arguments: [false, true])
  func plans(isAnalysed: Bool) async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    let connection = try BlockingConnection(test.url)
    if isAnalysed {
      for table in try connection.column(
        "select tablename from pg_tables where schemaname = '\(tenant.schema.name)'")
      {
        try connection.execute("vacuum analyze \(tenant.schema.quoted).\(table)")
      }
    }
    for command in Connection.Planning.once.commands { try connection.execute(command) }
    try connection.execute("set role \(tenant.schema.quoted)")
    let all =
      Tenancy.statements + Compliance.statements + ControlPlane.statements
      + TenantRuntime.statements
    let types = all.filter { $0.isPlannedOnce }
    #expect(types.count > 20)
    for type in types {
      let plan = try Self.plan(of: type, in: tenant.schema, connection)
      #expect(!plan.contains { $0.contains("Seq Scan") }, "\(type): \(plan)")
      for (line, next) in zip(plan, plan.dropFirst() + [""])
      where line.contains("Index Scan") || line.contains("Index Only Scan") {
        #expect(next.contains("Index Cond"), "\(type): \(plan)")
        #expect(Self.keys.contains { line.contains($0) }, "\(type): \(plan)")
      }
    }
  }

  /// How the indexes are called that find few rows.
  private static let keys = ["_pkey", "_key", "consent_event_user_id"]

  private static func plan<S: Statement>(
    of type: S.Type, in schema: TenantSchema, _ connection: BlockingConnection
  ) throws -> [String] {
    let template = S.sql.template
    let types = try template.types.map {
      try #require(try connection.column("select format_type(\($0), null)").first)
    }
    let list = types.isEmpty ? "" : "(\(types.joined(separator: ", ")))"
    let nulls = types.isEmpty ? "" : "(\(types.map { _ in "null" }.joined(separator: ", ")))"
    try connection.execute("prepare planned \(list) as \(try template.rendered(for: schema))")
    defer { try? connection.execute("deallocate planned") }
    return try connection.column("explain (costs off) execute planned \(nulls)")
  }

  @Test("others on the same connection are planned as Postgres likes best")
  func settings() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    try await test.database.transaction(in: tenant.schema) { tx in
      for _ in 0..<2 {
        let (once, free) = (
          try await tx.first(OncePlanning()), try await tx.first(FreePlanning())
        )
        #expect(once == "force_generic_plan off")
        #expect(free == "auto on")
      }
    }
  }

  @Test("also after transactions and statements that failed")
  func settingsAfterFailures() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    let database = test.another { $0.connectionsMax = 1 }
    defer { database.close() }
    func check() async throws {
      let (free, once) = (
        try await database.first(FreePlanning(), in: schema),
        try await database.first(OncePlanning(), in: schema)
      )
      #expect(free == "auto on")
      #expect(once == "force_generic_plan off")
    }
    for rowsBefore in [0, 1] {
      _ = try? await database.transaction(in: schema) { tx in
        if rowsBefore == 1 { _ = try await tx.first(FreePlanning()) }
        try await tx.run(InsertPurpose(id: "taken"))
        throw CancellationError()
      }
      try await check()
      _ = try await database.first(FreePlanning(), in: schema)
      _ = try? await database.run(InsertPurpose(id: "a", status: "wrong"), in: schema)
      let free = try await database.first(FreePlanning(), in: schema)
      #expect(free == "auto on")
      try await check()
    }
  }

  @Test("of a tenant's statements those that are planned once are prepared, from the first time on")
  func preparing() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    let database = test.another { $0.connectionsMax = 1 }
    defer { database.close() }
    for _ in 0..<3 { _ = try await database.first(FreePlanning(), in: tenant.schema) }
    #expect(try await database.first(PreparedPlannings(), in: tenant.schema) == 0)
    _ = try await database.first(OncePlanning(), in: tenant.schema)
    #expect(try await database.first(PreparedPlannings(), in: tenant.schema) == 1)
  }
}

private struct OncePlanning: Statement {
  static let isPlannedOnce = true
  static let sql: SQL<Self> =
    "select current_setting('plan_cache_mode') || ' ' || current_setting('enable_seqscan')"
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

private struct FreePlanning: Statement {
  static let sql: SQL<Self> =
    "select current_setting('plan_cache_mode') || ' ' || current_setting('enable_seqscan')"
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

private struct PreparedPlannings: Statement {
  static let sql: SQL<Self> =
    "select count(*)::integer from pg_prepared_statements where name like '%Planning'"
  static func decode(_ row: inout RowReader) throws -> Int { Int(try row.next(Int32.self)) }
}
