import Compliance
import Database
import JOSE
import Jobs
import Migrations
import Platform
import Tenancy
import TestSupport
import Testing

@testable import ControlPlane

@Suite("Ready organizations (decision 0008)")
struct ReadyOrganizationTests {
  private func ready(_ count: Int, _ harness: ControlPlaneHarness) -> ReadyOrganizations {
    ReadyOrganizations(
      provisioner: harness.provisioner(), settings: ReadyOrganizationSettings(count: count),
      bell: ReadyBell(), logger: harness.test.logger)
  }

  @Test("A sign-up takes one that is ready, whole; nobody sees it before")
  func taken() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    await ready(1, harness).fill()
    #expect(try await harness.provisioner().readyCount == 1)
    let schemas = try await harness.database.all(ReadySchemas())
    #expect(try await harness.organizations.list(after: nil, status: nil, limit: 10).count == 1)
    #expect(
      try await harness.organizations.list(after: nil, status: .provisioning, limit: 10).count == 1)
    #expect(try await harness.directory.find(slug: schemas[0]) == nil)
    #expect(throws: (any Error).self) { try Slug(schemas[0]) }

    let made = try await harness.organizations.create(
      harness.draft("acme"), claim: nil, by: platform)
    #expect(try await harness.provisioner().readyCount == 0)
    let tenant = try #require(try await harness.directory.find(slug: "acme"))
    #expect(tenant.id == made.id && tenant.schema.name == schemas[0])
    #expect(tenant.status == .active)
    let keys = try await harness.tenancy.keys.keys(of: tenant)
    #expect(Set(keys.algorithms.map(\.rawValue)) == ["RS256", "ES256"])
    #expect(try await harness.compliance.retention.rules(in: tenant).count > 3)
    #expect(try await harness.actions(in: tenant).contains("organization.created"))
    #expect(
      try await harness.traces(of: "acme").sorted()
        == ["key", "organization active", "role", "schedule"])
  }

  @Test("More sign-ups at the same time than are ready: each gets its own")
  func burst() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    await ready(3, harness).fill()
    let ids = try await withThrowingTaskGroup(of: TenantID.self) { tasks in
      for number in 0..<5 {
        tasks.addTask {
          try await harness.organizations.create(
            harness.draft("acme-\(number)"), claim: nil, by: platform
          ).id
        }
      }
      return try await tasks.reduce(into: Set<TenantID>()) { $0.insert($1) }
    }
    #expect(ids.count == 5)
    #expect(try await harness.provisioner().readyCount == 0)
    for number in 0..<5 {
      #expect(try await harness.traces(of: "acme-\(number)").count == 4)
    }
  }

  @Test("What a failed sign-up had taken is ready again")
  func failed() async throws {
    struct Broken: Error {}
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    await ready(1, harness).fill()
    let broken = harness.organizations(defaults: TenantDefaults { _, _ in throw Broken() })
    await #expect(throws: Broken.self) {
      _ = try await broken.create(harness.draft("acme"), claim: nil, by: platform)
    }
    #expect(try await harness.provisioner().readyCount == 1)
    _ = try await harness.organizations.create(harness.draft("acme"), claim: nil, by: platform)
    #expect(try await harness.provisioner().readyCount == 0)
    await ready(1, harness).fill()
    await #expect(throws: (any Error).self) {
      _ = try await harness.organizations.create(harness.draft("acme"), claim: nil, by: platform)
    }
    #expect(try await harness.provisioner().readyCount == 1)
  }

  @Test("Processes that fill up at the same time make as many as are wanted")
  func fillers() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    await withTaskGroup(of: Void.self) { tasks in
      for _ in 0..<4 { tasks.addTask { await ready(2, harness).fill() } }
    }
    #expect(try await harness.provisioner().readyCount == 2)
  }

  @Test("Those of an older schema are given out after their migration only")
  func olderSchema() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    await ready(1, harness).fill()
    let newer = Migrator(
      database: harness.database, control: Migrations.control,
      tenant: Migrations.tenant + [
        Migration(
          version: Migrations.tenant.count + 1, name: "extra",
          up: "alter table {tenant}.client add column extra integer;", down: "")
      ], clock: .system, logger: harness.test.logger)
    let provisioner = harness.provisioner(migrator: newer)
    #expect(try await provisioner.readyCount == 0)
    let rollouts = Rollouts(
      database: harness.database, migrator: newer, directory: harness.directory,
      audit: harness.tenancy.audit, queue: harness.queue, clock: .system, random: .system)
    #expect(try await rollouts.start(failurePercentMax: 0)?.pending == 1)
    let handler = RolloutHandler(
      database: harness.database, migrator: newer, directory: harness.directory,
      audit: harness.tenancy.audit, clock: .system)
    try await harness.working([handler]) {
      try await eventually { try await provisioner.readyCount == 1 }
    }
  }
}

private struct ReadySchemas: Statement {
  static let sql: SQL<Self> = """
    select schema_name from control.organization where status = 'provisioning'
    """
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}
