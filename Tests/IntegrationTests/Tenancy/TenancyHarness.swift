import Cryptography
import Database
import FoundationEssentials
import JOSE
import Logging
import Platform
import ServiceLifecycle
@testable import Tenancy
import TestSupport
import Testing

/// A fresh tenant with keys and a counter, and the module assembled around it.
struct TenancyHarness: Sendable {
  let test: TestDatabase
  let tenancy: Tenancy
  let tenant: Tenant
  let clock: ManualClock

  var database: Database { test.database }

  static let baseURL: BaseURL = "https://id.example"
  static let origin = AuditOrigin(
    actor: .operator("tests"), requestID: "request-1", ipAddress: nil, userAgent: nil)

  static func fresh(
    signingWith algorithms: [SignatureAlgorithm] = [.es256],
    logouts: LogoutNotifier = LogoutNotifier { _, _, _ in }
  ) async throws -> TenancyHarness {
    let test = try await TestDatabase.shared()
    let database = test.database
    let clock = ManualClock(Date(unixSeconds: 1_800_000_000))
    let masterKey = try MasterKey(MasterKey.generateText())
    let tenancy = Tenancy.forTests(
      database, masterKey, clock.clock, test.logger, logouts: logouts)
    let made = try await test.freshTenant()
    let key = TenantKey.generate(for: TenantID(made.organization))
    try await database.run(
      InsertTestTenantKey(
        organization: made.organization, wrapped: masterKey.wrap(key), now: clock.clock.now()))
    let tenant = try #require(try await tenancy.directory.find(id: TenantID(made.organization)))
    let keys = try algorithms.map {
      try GeneratedSigningKey($0, state: .current, for: key, clock: clock.clock, random: .system)
    }
    try await database.transaction { tx in
      try await tenancy.audit.begin(in: tx, tenant: tenant)
      try await tenancy.keys.install(keys, in: tx, tenant: tenant)
    }
    return TenancyHarness(
      test: test, tenancy: tenancy, tenant: tenant, clock: clock)
  }

  /// The same as a second process would have it.
  func another() -> Tenancy {
    Tenancy.forTests(database, tenancy.masterKey, clock.clock, test.logger)
  }

  func claims(_ object: JSONObject) throws -> Claims { try Claims(validating: object) }

  func user(_ object: JSONObject, password: String? = nil) async throws -> User {
    try await tenancy.users.create(
      claims(object), password: password.map { Secret($0) }, in: tenant, origin: Self.origin)
  }

  func events() async throws -> [TestAuditRow] {
    try await database.all(ListTestAudit(), in: tenant.schema)
  }

  /// Whether a statement about this tenant waits for a lock.
  func isAnybodyWaiting() async throws -> Bool {
    try await database.first(FindTestWaiters(pattern: "%\(tenant.schema.name)%")) ?? false
  }

  /// Every number from 1 on once, and the counter at the last.
  func expectSoundTrail(_ count: Int) async throws {
    let events = try await events()
    #expect(events.map(\.seq) == Array(1...max(count, 1)).prefix(count).map { $0 })
    #expect(try await database.first(FindAuditHead(), in: tenant.schema) == count)
  }
}

extension Tenancy {
  static func forTests(
    _ database: Database, _ masterKey: MasterKey, _ clock: WallClock, _ logger: Logger,
    spill: FilePath = "/tmp/tenure-test-no-spill", queueMax: Int = 10_000,
    logouts: LogoutNotifier = LogoutNotifier { _, _, _ in }
  ) -> Tenancy {
    var read = SettingsReader.documentation
    var settings = TenancySettings(&read)
    settings.audit = AuditSettings(queueMax: queueMax, spillDirectory: spill)
    let cheap = PasswordHasherSettings(
      cost: Argon2id.Cost(memoryKiB: 64, iterations: 1, lanes: 1), threadsMax: 2, queueMax: 1000,
      deadlineSeconds: 10)
    return Tenancy(
      database: database, masterKey: masterKey, baseURL: TenancyHarness.baseURL,
      passwords: PasswordHasher(settings: cheap, random: .system), settings: settings,
      logouts: logouts, clock: clock, random: .system, logger: logger)
  }

  /// Runs the services around the body.
  func serving(_ logger: Logger, _ body: @Sendable () async throws -> Void) async throws {
    let group = ServiceGroup(services: services, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      try await eventually { audit.isBatching }
      try await body()
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }
}

/// Waits for something another connection brings about; the limit is for failures only.
func eventually(_ condition: () async throws -> Bool) async throws {
  for _ in 0..<12_000 {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  Issue.record("it never came true")
}

struct InsertTestTenantKey: Statement {
  let organization: UUID
  let wrapped: [UInt8]
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.tenant_key (organization_id, version, wrapped, created_at)
    values (\(\.organization), 1, \(\.wrapped), \(\.now))
    """
}

struct FindTestWaiters: Statement {
  let pattern: String
  static let sql: SQL<Self> = """
    select exists (
             select from pg_stat_activity
              where datname = current_database()
                and wait_event_type = 'Lock'
                and query like \(\.pattern))
    """
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}

struct SetTestStatus: Statement {
  let id: TenantID
  let status: TenantStatus
  let now: Date?
  static let sql: SQL<Self> = """
    update control.organization set status = \(\.status), deleted_at = \(\.now) where id = \(\.id)
    """
}

struct TestAuditRow: Sendable {
  let seq: Int
  let id: ID<AuditEvent>
  let action: String
  let outcome: String
  let actorID: String?
  let subject: UserID?
  let detail: JSON
  let personal: [UInt8]?
  let commitment: [UInt8]
  let commitmentKey: [UInt8]?
  /// Rows of one batch have one transaction.
  let transaction: String
}

struct ListTestAudit: Statement {
  static let sql: SQL<Self> = """
    select seq, id, action, outcome, actor_id, subject_id, detail, personal, commitment,
           commitment_key, xmin::text
      from \(tenant).audit_event
     order by seq
    """
  static func decode(_ row: inout RowReader) throws -> TestAuditRow {
    TestAuditRow(
      seq: try row.next(), id: try row.next(), action: try row.next(), outcome: try row.next(),
      actorID: try row.next(), subject: try row.next(), detail: try row.next(),
      personal: try row.next(), commitment: try row.next(), commitmentKey: try row.next(),
      transaction: try row.next())
  }
}

/// Changes of one thing at a time.
extension UserStore {
  @discardableResult
  func update(
    _ id: UserID, expecting version: Int?, in tenant: Tenant, origin: AuditOrigin,
    _ change: @escaping @Sendable (Claims) throws -> Claims
  ) async throws -> User {
    try await self.change(
      id, by: UserChange(claims: change), expecting: version, in: tenant, origin: origin)
  }

  func setStatus(
    _ status: UserStatus, of id: UserID, expecting version: Int?, in tenant: Tenant,
    origin: AuditOrigin
  ) async throws -> User {
    try await change(
      id, by: UserChange(status: status), expecting: version, in: tenant, origin: origin)
  }

  func setPassword(
    _ password: Secret<String>, of id: UserID, in tenant: Tenant, origin: AuditOrigin
  ) async throws {
    _ = try await change(
      id, by: UserChange(password: password), expecting: nil, in: tenant, origin: origin)
  }
}
