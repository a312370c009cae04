import Compliance
import Database
import Foundation
import Jobs
import Logging
import Platform
import ServiceLifecycle
import Tenancy
import TestSupport
import Testing
import Web

@testable import ControlPlane

/// The control plane on a database of its own, with its system tenant.
struct ControlPlaneHarness: Sendable {
  let test: TestDatabase
  let tenancy: Tenancy
  let compliance: Compliance
  let queue: JobQueue
  let plane: ControlPlane
  let archive: FilePath

  var database: Database { test.database }
  var directory: TenantDirectory { tenancy.directory }

  static func fresh() async throws -> ControlPlaneHarness {
    let test = try await TestDatabase.fresh(migrated: true)
    let tenancy = Tenancy.forTests(
      test.database, try MasterKey(MasterKey.generateText()), .system, test.logger)
    let archive = FilePath("/tmp/tenure-test-archive-\(UUID().uuidString)")
    let queue = JobQueue(
      database: test.database, wakeUp: JobWakeUp(database: test.database, logger: test.logger),
      clock: .system, random: .system)
    let compliance = try Compliance(
      database: test.database, directory: tenancy.directory, users: tenancy.users,
      audit: tenancy.audit, queue: queue, store: ArchiveStore(directory: archive),
      declarations: ComplianceHarness.declarations,
      exports: ExportPolicy(keepDays: 7, downloadsMax: 1), clock: .system, random: .system)
    let plane = ControlPlane(
      database: test.database, migrator: test.migrator, tenancy: tenancy, compliance: compliance,
      queue: queue, limits: .lifted, pages: try Pages(serverName: "Tests", ControlPlane.templates),
      server: TenancyHarness.baseURL, version: "test",
      ready: ReadyOrganizationSettings(count: 0), clock: .system, random: .system,
      logger: test.logger)
    return ControlPlaneHarness(
      test: test, tenancy: tenancy, compliance: compliance, queue: queue, plane: plane,
      archive: archive)
  }

  func platform() async throws -> PlatformOperator {
    PlatformOperator(
      origin: TenancyHarness.origin, system: try await plane.bootstrap.systemTenant())
  }

  /// What makes organizations; with other defaults or migrations than the product's, where they are given.
  func provisioner(defaults: TenantDefaults? = nil, migrator: Migrator? = nil) -> Provisioner {
    Provisioner(
      database: database, migrator: migrator ?? test.migrator, masterKey: tenancy.masterKey,
      directory: directory, ring: tenancy.keys, audit: tenancy.audit,
      defaults: defaults ?? TenantDefaults { try await compliance.provision($0, in: $1) },
      clock: .system, random: .system, taken: {})
  }

  /// The same services with other defaults for new tenants.
  func organizations(defaults: TenantDefaults) -> Organizations {
    Organizations(
      database: database, directory: directory, provisioner: provisioner(defaults: defaults),
      keys: tenancy.keyRotation, audit: tenancy.audit, queue: queue, idempotency: idempotency,
      clock: .system)
  }

  var organizations: Organizations {
    organizations(
      defaults: TenantDefaults { try await compliance.provision($0, in: $1) })
  }

  var idempotency: Idempotency {
    Idempotency(database: database, masterKey: tenancy.masterKey, clock: .system)
  }

  func draft(_ slug: String) throws -> OrganizationDraft {
    OrganizationDraft(slug: try Slug(slug), name: "Acme", settings: TenantSettings())
  }

  /// Runs jobs around the body: the product's, where no others are given.
  func working(
    _ handlers: [any JobHandler]? = nil, _ body: @Sendable () async throws -> Void
  ) async throws {
    let worker = JobWorker(
      database: database, handlers: handlers ?? plane.jobHandlers + compliance.jobHandlers,
      settings: JobWorkerSettings(
        limits: JobLimits(slots: 4, claimMax: 100, unsettledMax: 1000), leaseSeconds: 30,
        heartbeatSeconds: 0.2, pollSeconds: 0.02, drainSeconds: 0,
        backoff: JobBackoff(firstSeconds: 0, maxSeconds: 0)),
      clock: .system, random: .system, logger: test.logger, tracer: nil)
    let group = ServiceGroup(services: [worker], logger: test.logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      do { try await body() } catch {
        await group.triggerGracefulShutdown()
        throw error
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  /// What of an organization the database has: rows, schema, role.
  func traces(of slug: String) async throws -> [String] {
    try await database.all(TenantTraces(slug: slug))
  }

  func actions(in tenant: Tenant) async throws -> [String] {
    try await database.all(ListTestAudit(), in: tenant.schema).map(\.action)
  }
}

/// Schemas and roles of tenants, and the organizations with a slug.
struct TenantTraces: Statement {
  let slug: String
  static let sql: SQL<Self> = """
    select 'organization ' || status from control.organization where slug = \(\.slug)
    union all
    select 'orphan schema ' || nspname from pg_namespace
     where nspname like 't\\_%'
       and nspname not in (select schema_name from control.organization where status <> 'deleted')
       and nspname not in (select name from control.spare_schema)
    union all
    select 'key' from control.tenant_key as k
      join control.organization as o on o.id = k.organization_id
     where o.slug = \(\.slug)
    union all
    select 'schedule' from control.job_schedule as s
      join control.organization as o on o.id = s.organization_id
     where o.slug = \(\.slug)
    union all
    select 'role' from pg_roles as r
      join control.organization as o on o.schema_name = r.rolname
     where o.slug = \(\.slug)
    """
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}
