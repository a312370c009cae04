import Database
import Foundation
import Platform
import Tenancy
import TestSupport
import Testing

@testable import ControlPlane

@Suite("Spare schemas (decision 0008)")
struct SpareSchemaTests {
  private func spares(_ harness: ControlPlaneHarness) -> SpareSchemas {
    SpareSchemas(
      database: harness.database, migrator: harness.test.migrator, clock: .system, random: .system)
  }

  private func made(_ count: Int, _ harness: ControlPlaneHarness) async throws {
    try await harness.database.transaction { tx in try await spares(harness).make(count, in: tx) }
  }

  private func rows(_ harness: ControlPlaneHarness) async throws -> [SpareSchemaRows.Row] {
    try await harness.database.all(SpareSchemaRows())
  }

  @Test("An organization takes one with its id, and is kept from the others by it")
  func taken() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    try await made(3, harness)
    try await spares(harness).publish()
    let spare = try await rows(harness)
    #expect(spare.count == 3 && spare.allSatisfy { $0.isPublished && $0.hasRole })
    var tenants: [Tenant] = []
    for slug in ["acme", "globex"] {
      let made = try await harness.organizations.create(
        harness.draft(slug), claim: nil, by: platform)
      #expect(spare.map(\.id).contains(made.id))
      #expect(try await harness.traces(of: slug).count == 4)
      tenants.append(try #require(try await harness.directory.find(slug: slug)))
    }
    #expect(try await rows(harness).map(\.id).filter { tenants.map(\.id).contains($0) } == [])
    #expect(try await rows(harness).count == 1)
    #expect(try await !harness.actions(in: tenants[0]).isEmpty)
    let foreign = "select id from \(tenants[1].schema.quoted).client"
    let state = try await sqlState {
      try await harness.database.run(
        ComposedSQL(stringLiteral: foreign), in: tenants[0].schema)
    }
    #expect(state == .insufficientPrivilege)
  }

  @Test("More organizations at the same time than are spare: each has its own")
  func burst() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    try await made(3, harness)
    try await spares(harness).publish()
    let ids = try await withThrowingTaskGroup(of: TenantID.self) { tasks in
      for number in 0..<6 {
        tasks.addTask {
          try await harness.organizations.create(
            harness.draft("acme-\(number)"), claim: nil, by: platform
          ).id
        }
      }
      return try await tasks.reduce(into: Set<TenantID>()) { $0.insert($1) }
    }
    #expect(ids.count == 6)
    #expect(try await rows(harness).isEmpty)
    for number in 0..<6 {
      #expect(try await harness.traces(of: "acme-\(number)").count == 4)
    }
  }

  @Test("An organization that fails leaves its schema to the next")
  func failed() async throws {
    struct Broken: Error {}
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    try await made(1, harness)
    try await spares(harness).publish()
    let broken = harness.organizations(defaults: TenantDefaults { _, _ in throw Broken() })
    await #expect(throws: Broken.self) {
      _ = try await broken.create(harness.draft("acme"), claim: nil, by: platform)
    }
    let spare = try await rows(harness)
    #expect(spare.count == 1)
    let made = try await harness.organizations.create(
      harness.draft("acme"), claim: nil, by: platform)
    #expect(made.id == spare.first?.id)
  }

  @Test("A batch is made whole or not at all")
  func batch() async throws {
    struct Broken: Error {}
    let harness = try await ControlPlaneHarness.fresh()
    var names: [String] = []
    await #expect(throws: Broken.self) {
      names = try await harness.database.transaction { tx in
        try await spares(harness).make(3, in: tx)
        names = try await tx.all(SpareSchemaRows()).map(\.name)
        throw Broken()
      }
    }
    #expect(names.count == 3)
    #expect(try await rows(harness).isEmpty)
    #expect(try await harness.database.first(CountRoles(names: names)) == 0)
  }

  @Test("Those of a process that ended before it published them are published by the next")
  func unpublished() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    try await made(2, harness)
    let spare = try await rows(harness).map(\.id)
    let own = try await harness.organizations.create(
      harness.draft("acme"), claim: nil, by: platform)
    #expect(!spare.contains(own.id))
    #expect(try await rows(harness).allSatisfy { !$0.isPublished })
    try await spares(harness).publish()
    let taken = try await harness.organizations.create(
      harness.draft("globex"), claim: nil, by: platform)
    #expect(spare.contains(taken.id))
  }

  @Test("A row without its role, as a restored dump has it, is passed over")
  func lost() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    try await made(1, harness)
    try await spares(harness).publish()
    let spare = try #require(try await rows(harness).first)
    try await harness.database.script(
      "drop owned by \"\(spare.name)\"; drop role \"\(spare.name)\"")
    let made = try await harness.organizations.create(
      harness.draft("acme"), claim: nil, by: platform)
    #expect(made.id != spare.id)
  }

  @Test("Processes that find few left make one batch; for few organizations there is none")
  func refill() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    try await spares(harness).refill()
    #expect(try await rows(harness).isEmpty)
    try await harness.database.run(InsertManyOrganizations(count: 150, now: Date()))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for _ in 0..<4 { tasks.addTask { try await spares(harness).refill() } }
      try await tasks.waitForAll()
    }
    let first = try await rows(harness)
    #expect(first.count == 18)
    try await spares(harness).publish()
    try await spares(harness).refill()
    #expect(try await rows(harness).map(\.id) == first.map(\.id))
    for _ in 0..<3 {
      _ = try await harness.database.transaction { tx in try await spares(harness).take(in: tx) }
    }
    try await spares(harness).refill()
    #expect(try await rows(harness).count == 18)
  }

  @Test("The release before does not know them: they go with its schema")
  func reverted() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    try await made(2, harness)
    let names = try await rows(harness).map(\.name)
    #expect(try await harness.database.first(CountRoles(names: names)) == 2)
    try await harness.test.migrator.revertControl(to: 4)
    #expect(try await harness.database.first(CountRoles(names: names)) == 0)
  }
}

private struct SpareSchemaRows: Statement {
  struct Row: Sendable {
    let id: TenantID
    let name: String
    let isPublished: Bool
    let hasRole: Bool
  }

  static let sql: SQL<Self> = """
    select organization_id, name, published, exists (select from pg_roles where rolname = name)
      from control.spare_schema
     order by organization_id
    """
  static func decode(_ row: inout RowReader) throws -> Row {
    Row(
      id: try row.next(), name: try row.next(), isPublished: try row.next(),
      hasRole: try row.next())
  }
}

private struct CountRoles: Statement {
  let names: [String]
  static let sql: SQL<Self> = """
    select count(*) from pg_roles where rolname = any (\(\.names)::text[])
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

private struct InsertManyOrganizations: Statement {
  let count: Int
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.organization
           (id, slug, name, status, schema_name, schema_version, epoch, settings, created_at, updated_at)
    select gen_random_uuid(), 'many-' || number, '', 'active', 'many-' || number, 1, 1, '{}', \(\.now), \(\.now)
      from generate_series(1, \(\.count)) as number
    """
}
