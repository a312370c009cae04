import Database
import FoundationEssentials
import Jobs
import Migrations
import Platform
import Tenancy
import TestSupport
import Testing

@testable import ControlPlane

@Suite("Migrating the organizations (decision 0009)")
struct RolloutTests {
  /// The product's migrations and one more, which is not part of it.
  private struct Release {
    let harness: ControlPlaneHarness
    let migrator: Migrator
    let rollouts: Rollouts

    init(_ harness: ControlPlaneHarness, adding up: String) {
      self.harness = harness
      migrator = Migrator(
        database: harness.database, control: Migrations.control,
        tenant: Migrations.tenant + [
          Migration(
            version: Migrations.tenant.count + 1, name: "extra", up: up,
            down: "alter table {tenant}.client drop column extra;")
        ], clock: .system, logger: harness.test.logger)
      rollouts = Rollouts(
        database: harness.database, migrator: migrator, directory: harness.directory,
        audit: harness.tenancy.audit, queue: harness.queue, clock: .system, random: .system)
    }

    var handler: RolloutHandler {
      RolloutHandler(
        database: harness.database, migrator: migrator, directory: harness.directory,
        audit: harness.tenancy.audit, clock: .system)
    }

    /// Lets workers run until the rollout has come to one of the states.
    func run(until states: Set<Rollout.State>) async throws -> RolloutReport {
      try await harness.working([handler]) {
        try await eventually {
          guard let report = try await rollouts.report() else { return false }
          return states.contains(report.rollout.state)
        }
      }
      return try #require(try await rollouts.report())
    }
  }

  private static let addColumn = "alter table {tenant}.client add column extra integer;"

  private func tenants(_ count: Int, _ harness: ControlPlaneHarness) async throws -> [TestTenant] {
    var tenants: [TestTenant] = []
    for _ in 0..<count { tenants.append(try await harness.test.freshTenant()) }
    return tenants
  }

  private func versions(_ harness: ControlPlaneHarness) async throws -> [Int] {
    try await harness.database.all(SchemaVersions())
  }

  @Test("All are migrated in waves, the trail of the platform says so, and then nothing is pending")
  func waves() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    _ = try await tenants(13, harness)
    let release = Release(harness, adding: Self.addColumn)
    let started = try #require(try await release.rollouts.start(failurePercentMax: 0))
    #expect(started.pending == 14 && started.rollout.state == .running)
    let report = try await release.run(until: [.completed, .stopped])
    #expect(report.rollout.state == .completed && report.failures == [])
    #expect(report.rollout.migrated == 14 && report.rollout.wave == 3)
    #expect(Set(try await versions(harness)) == [release.migrator.tenantVersion])
    #expect(try await harness.database.first(CountExtraColumns()) == 14)
    let actions = try await harness.actions(in: platform.system)
    #expect(actions.contains("rollout.started") && actions.contains("rollout.completed"))
    #expect(try await release.rollouts.start(failurePercentMax: 0) == nil)
  }

  @Test("A canary that fails stops it before anybody else is touched; a resume goes on")
  func canary() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    _ = try await tenants(3, harness)
    let broken = Release(harness, adding: "\(Self.addColumn) select 1 / 0;")
    _ = try await broken.rollouts.start(failurePercentMax: 5)
    let report = try await broken.run(until: [.stopped])
    #expect(report.failures.map(\.error) == ["database error 22012"])
    #expect(report.pending == 3 && report.rollout.migrated == 0)
    #expect(try await harness.database.first(CountExtraColumns()) == 0)

    let fixed = Release(harness, adding: Self.addColumn)
    let resumed = try #require(try await fixed.rollouts.start(failurePercentMax: 5))
    #expect(resumed.rollout.id == report.rollout.id && resumed.failures == [])
    #expect(try await fixed.run(until: [.completed, .stopped]).rollout.state == .completed)
    #expect(try await harness.database.first(CountExtraColumns()) == 3)
  }

  @Test("One that fails does not keep the others, and has another try when it is resumed")
  func fewFailures() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let tenants = try await tenants(6, harness)
    let odd = tenants[3]
    try await harness.database.script(
      "alter table \(odd.schema.quoted).client add column extra text")
    let release = Release(harness, adding: Self.addColumn)
    _ = try await release.rollouts.start(failurePercentMax: 100)
    let report = try await release.run(until: [.completed, .stopped])
    #expect(report.rollout.state == .stopped && report.pending == 1)
    #expect(report.failures.map(\.organization) == [odd.organization])
    #expect(report.failures.map(\.error) == ["database error 42701"])
    #expect(report.rollout.migrated == 5)

    try await harness.database.script("alter table \(odd.schema.quoted).client drop column extra")
    _ = try await release.rollouts.start(failurePercentMax: 100)
    #expect(try await release.run(until: [.completed, .stopped]).rollout.state == .completed)
  }

  @Test("Paused, workers leave the organizations alone until it is resumed")
  func pause() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    _ = try await tenants(2, harness)
    let release = Release(harness, adding: Self.addColumn)
    #expect(try await release.rollouts.pause() == nil)
    _ = try await release.rollouts.start(failurePercentMax: 0)
    #expect(try await release.rollouts.pause()?.rollout.state == .paused)
    try await harness.working([release.handler]) {
      try await eventually {
        let jobs = try await harness.queue.list(
          JobFilter(state: .completed, kind: MigrateOrganizations.kind, organization: nil),
          before: nil, limit: 10)
        return !jobs.isEmpty
      }
    }
    #expect(try await harness.database.first(CountExtraColumns()) == 0)
    _ = try await release.rollouts.start(failurePercentMax: 0)
    #expect(try await release.run(until: [.completed, .stopped]).rollout.state == .completed)
  }

  @Test("Workers that end in the middle are replaced by others; each organization is migrated once")
  func crashes() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    _ = try await tenants(16, harness)
    // Slow enough to be caught in the act; twice on one organization fails, since the column is there.
    let release = Release(harness, adding: "\(Self.addColumn) select pg_sleep(0.05);")
    _ = try await release.rollouts.start(failurePercentMax: 0)
    for seen in [1, 4, 9] {
      try await harness.working([release.handler]) {
        try await eventually {
          try await harness.database.first(CountExtraColumns()) ?? 0 >= seen
        }
      }
    }
    let report = try await release.run(until: [.completed, .stopped])
    #expect(report.rollout.state == .completed && report.failures == [])
    #expect(try await harness.database.first(CountExtraColumns()) == 16)
  }

  @Test("A migration gives way to a transaction that holds the table, and comes back")
  func locks() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let tenant = try await harness.test.freshTenant()
    let release = Release(harness, adding: Self.addColumn)
    _ = try await release.rollouts.start(failurePercentMax: 0)
    try await harness.working([release.handler]) {
      try await harness.database.transaction(in: tenant.schema) { tx in
        let sql: ComposedSQL = "select count(*) from \(Database.tenantMark).client"
        _ = try await tx.first(sql) { row in try row.next(Int.self) }
        try await eventually {
          try await harness.database.first(LockWaiters()) ?? 0 > 0
        }
      }
      try await eventually {
        try await release.rollouts.report()?.rollout.state == .completed
      }
    }
  }

  @Test("A release that does not know the version leaves it to one that does")
  func olderRelease() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    _ = try await tenants(1, harness)
    let newer = Release(harness, adding: Self.addColumn)
    _ = try await newer.rollouts.start(failurePercentMax: 0)
    try await harness.working {
      try await eventually {
        let jobs = try await harness.queue.list(
          JobFilter(state: .available, kind: MigrateOrganizations.kind, organization: nil),
          before: nil, limit: 10)
        return jobs.contains { $0.error == "The rollout needs a newer release." }
      }
    }
    #expect(try await harness.database.first(CountExtraColumns()) == 0)
    #expect(try await newer.run(until: [.completed]).rollout.state == .completed)
  }

  @Test("The role of a tenant has its rights on a table that a migration makes")
  func rights() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let tenant = try await harness.test.freshTenant()
    let release = Release(
      harness, adding: "create table {tenant}.thing (id integer primary key);")
    #expect(
      try await release.migrator.migrateTenant(
        organization: tenant.organization, schema: tenant.schema)
        == release.migrator.tenantVersion)
    let sql: ComposedSQL = "insert into \(Database.tenantMark).thing values (1)"
    #expect(try await harness.database.run(sql, in: tenant.schema) == 1)
  }
}

private struct SchemaVersions: Statement {
  static let sql: SQL<Self> = "select schema_version from control.organization"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

private struct CountExtraColumns: Statement {
  static let sql: SQL<Self> = """
    select count(*)
      from pg_attribute
           join pg_class on pg_class.oid = attrelid
     where relname = 'client'
       and attname = 'extra'
       and atttypid = 'integer'::regtype
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

private struct LockWaiters: Statement {
  static let sql: SQL<Self> = """
    select count(*) from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}
