import Database
import FoundationEssentials
import Migrations
import Platform
import TestSupport
import Testing

@Suite("Migrations")
struct MigrationTests {
  @Test("control goes up, down and up again; the second time up finds nothing to do")
  func control() async throws {
    let test = try await TestDatabase.fresh(migrated: false)
    #expect(try await test.migrator.pendingControl() == Migrations.control)
    #expect(try await test.migrator.migrateControl() == Migrations.control)
    let first = try await catalogue(of: "control", in: test.database)
    #expect(first.contains("organization"))
    #expect(try await test.migrator.migrateControl() == [])
    try await test.migrator.revertControl(to: 1)
    #expect(try await test.migrator.pendingControl() == Array(Migrations.control.dropFirst()))
    try await test.migrator.revertControl(to: 0)
    #expect(try await catalogue(of: "control", in: test.database) == [])
    #expect(try await test.migrator.migrateControl() == Migrations.control)
    #expect(try await catalogue(of: "control", in: test.database) == first)
  }

  @Test("a tenant goes down and up again, and its role keeps its rights")
  func tenant() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    let first = try await catalogue(of: tenant.schema.name, in: test.database)
    #expect(first.count > 10)
    try await test.migrator.revertTenant(
      organization: tenant.organization, schema: tenant.schema, to: 0)
    #expect(try await catalogue(of: tenant.schema.name, in: test.database) == [])
    let version = try await test.migrator.migrateTenant(
      organization: tenant.organization, schema: tenant.schema)
    #expect(version == test.migrator.tenantVersion)
    #expect(try await catalogue(of: tenant.schema.name, in: test.database) == first)
    try await test.database.run(InsertPurpose(id: "x"), in: tenant.schema)
    #expect(try await test.database.first(PurposeNames(), in: tenant.schema) == "x")
    // Nothing pending is harmless, also when many ask at once.
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          try await test.migrator.migrateTenant(
            organization: tenant.organization, schema: tenant.schema)
        }
      }
      for try await version in group { #expect(version == test.migrator.tenantVersion) }
    }
    #expect(try await test.database.all(PurposeNames(), in: tenant.schema) == ["x"])
  }

  @Test("a removed tenant leaves no schema and no role")
  func removal() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    try await test.database.run(InsertPurpose(id: "x"), in: schema)
    try await test.database.script(test.migrator.removalScript(for: schema))
    #expect(try await test.database.first(RoleExists(name: schema.name)) == nil)
    #expect(try await catalogue(of: schema.name, in: test.database) == [])
    // Again is harmless.
    try await test.database.script(test.migrator.removalScript(for: schema))
  }

  @Test("a provisioning that fails leaves nothing behind")
  func failedProvisioning() async throws {
    let test = try await TestDatabase.shared()
    let schema = TenantSchema(id: UUID())
    let state = try await sqlState {
      try await test.database.script(
        test.migrator.provisioningScript(for: schema) + "; select 1 / 0")
    }
    #expect(state == SQLState(rawValue: "22012"))
    #expect(try await test.database.first(RoleExists(name: schema.name)) == nil)
    #expect(try await catalogue(of: schema.name, in: test.database) == [])
  }

  @Test("several processes that migrate at the same time do it once")
  func concurrent() async throws {
    let test = try await TestDatabase.fresh(migrated: false)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<6 { group.addTask { try await test.migrator.migrateControl() } }
      try await group.waitForAll()
    }
    #expect(try await test.migrator.pendingControl() == [])
  }

  @Test("a migration whose text changed after it was applied is refused")
  func checksum() async throws {
    let test = try await TestDatabase.fresh(migrated: true)
    let edited = Migrations.control.map { migration in
      Migration(
        version: migration.version, name: migration.name, up: migration.up + " ",
        down: migration.down)
    }
    let migrator = migrator(of: test, control: edited)
    #expect(try await sqlState { try await migrator.migrateControl() } == .migrationMismatch)
  }

  @Test("a migration that fails leaves the version before it")
  func failure() async throws {
    let test = try await TestDatabase.fresh(migrated: true)
    let next = (Migrations.control.last?.version ?? 0) + 1
    let broken = Migration(
      version: next, name: "broken",
      up: "create table control.x (id int primary key); select 1 / 0",
      down: "")
    let migrator = migrator(of: test, control: Migrations.control + [broken])
    #expect(
      try await sqlState { try await migrator.migrateControl() } == SQLState(rawValue: "22012"))
    #expect(try await migrator.pendingControl() == [broken])
    #expect(try await !catalogue(of: "control", in: test.database).contains("x"))
  }

  @Test("versions are consecutive, and every way up has a way down")
  func numbering() {
    for list in [Migrations.control, Migrations.tenant] {
      #expect(list.map(\.version) == Array(1...list.count))
      #expect(list.allSatisfy { !$0.up.isEmpty && !$0.down.isEmpty })
    }
  }

  private func migrator(of test: TestDatabase, control: [Migration]) -> Migrator {
    Migrator(
      database: test.database, control: control, tenant: Migrations.tenant, clock: .system,
      logger: test.logger)
  }

  private func catalogue(of schema: String, in database: Database) async throws -> [String] {
    try await database.all(Relations(schema: schema))
  }
}

/// Names of tables and indexes; the history of migrations aside.
private struct Relations: Statement {
  let schema: String
  static let sql: SQL<Self> = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = \(\.schema) and c.relname not like 'schema_migration%'
     order by c.relname
    """
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

private struct RoleExists: Statement {
  let name: String
  static let sql: SQL<Self> = "select true from pg_roles where rolname = \(\.name)"
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}
