import Database
import Foundation
import Jobs
import Logging
import Platform
import ServiceLifecycle
import Tenancy
import TenantRuntime
import TestSupport
import Testing

@testable import Compliance

/// A tenant as provisioning leaves it, on a database of its own, with a worker for its requests.
struct ComplianceHarness: Sendable {
  let test: TestDatabase
  let tenancy: Tenancy
  let compliance: Compliance
  let queue: JobQueue
  let tenant: Tenant
  let clock: ManualClock
  let folder: TestFolder

  var archive: FilePath { folder.path }
  var database: Database { test.database }

  static let declarations =
    Tenancy.personalData + TenantRuntime.personalData + Compliance.personalData

  /// 2027-01-15T08:00:00Z.
  static let start = Date(unixSeconds: 1_800_000_000)

  static func fresh() async throws -> ComplianceHarness {
    let test = try await TestDatabase.fresh(migrated: true)
    let clock = ManualClock(start)
    let masterKey = try MasterKey(MasterKey.generateText())
    let tenancy = Tenancy.forTests(test.database, masterKey, clock.clock, test.logger)
    let folder = TestFolder()
    let queue = JobQueue(
      database: test.database,
      wakeUp: JobWakeUp(database: test.database, logger: test.logger), clock: clock.clock,
      random: .system)
    let compliance = try Compliance(
      database: test.database, directory: tenancy.directory, users: tenancy.users,
      audit: tenancy.audit, queue: queue, store: ArchiveStore(directory: folder.path),
      declarations: declarations, exports: ExportPolicy(keepDays: 7, downloadsMax: 1),
      clock: clock.clock, random: .system)
    let made = try await test.freshTenant()
    let key = TenantKey.generate(for: TenantID(made.organization))
    try await test.database.run(
      InsertTestTenantKey(
        organization: made.organization, wrapped: masterKey.wrap(key), now: start))
    let tenant = try #require(try await tenancy.directory.find(id: TenantID(made.organization)))
    try await test.database.transaction { tx in
      try await tenancy.audit.begin(in: tx, tenant: tenant)
      try await compliance.provision(tenant, in: tx)
    }
    let harness = ComplianceHarness(
      test: test, tenancy: tenancy, compliance: compliance, queue: queue, tenant: tenant,
      clock: clock, folder: folder)
    try await harness.insertClient("web")
    return harness
  }

  /// Runs the jobs of the tenant around the body.
  func working(_ body: @Sendable () async throws -> Void) async throws {
    let worker = JobWorker(
      database: database, handlers: compliance.jobHandlers,
      settings: JobWorkerSettings(
        limits: JobLimits(slots: 4, claimMax: 100, unsettledMax: 1000), leaseSeconds: 30,
        heartbeatSeconds: 0.2, pollSeconds: 0.02, drainSeconds: 0,
        backoff: JobBackoff(firstSeconds: 0, maxSeconds: 0)),
      clock: clock.clock, random: .system, logger: quiet, tracer: nil)
    let group = ServiceGroup(services: [worker], logger: quiet)
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

  /// Opens a request and works until it is decided.
  func answer(
    _ kind: DataRequestKind, _ user: User, channel: DataRequestChannel = .selfService
  ) async throws -> DataRequest {
    let request = try await open(kind, user, channel: channel)
    return try await answer(request.id)
  }

  func answer(_ id: ID<DataRequest>) async throws -> DataRequest {
    try await working { try await eventually { try await isDecided(id) } }
    return try #require(try await compliance.requests.find(id, in: tenant))
  }

  func open(
    _ kind: DataRequestKind, _ user: User, channel: DataRequestChannel = .selfService
  ) async throws -> DataRequest {
    try await compliance.requests.open(
      kind, subject: user.id, channel: channel, in: tenant, origin: origin(user))
  }

  func isDecided(_ id: ID<DataRequest>) async throws -> Bool {
    let request = try await compliance.requests.find(id, in: tenant)
    return request.map { [.fulfilled, .refused, .failed].contains($0.state) } ?? false
  }

  func origin(_ user: User) -> AuditOrigin {
    AuditOrigin(
      actor: .user(user.id), requestID: "request-1", ipAddress: "203.0.113.77",
      userAgent: "Mozilla/5.0 Testfox")
  }

  func events() async throws -> [TestAuditRow] {
    try await database.all(ListTestAudit(), in: tenant.schema)
  }

  func count(_ table: Identifier) async throws -> Int {
    let sql: ComposedSQL = "select count(*) from \(Database.tenantMark).\(table)"
    return try await database.first(sql, in: tenant.schema) { row in try row.next(Int.self) } ?? 0
  }

  var files: [String] {
    let folder = archive.appending("\(tenant.id)").text
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// Failures on purpose would fill the log.
  var quiet: Logger {
    var logger = test.logger
    logger.logLevel = .critical
    return logger
  }
}

/// A directory that goes away with the last who uses it.
final class TestFolder: Sendable {
  let path = FilePath("/tmp/tenure-test-archive-\(UUID().uuidString)")

  deinit { try? FileManager.default.removeItem(atPath: path.text) }
}

extension Database {
  /// The mark of the schema, where a property is called `tenant`.
  static let tenantMark = tenant
}

/// A person with a row in every table that can have one.
struct Person {
  static func claims(_ name: String) -> JSONObject {
    [
      "username": .string("user-of-\(name.lowercased())"),
      "email": .string("\(name.lowercased())@people.example"), "given_name": .string(name),
      "family_name": .string("Mustermann-\(name)"),
      "name": .string("\(name) <b>Mustermann-\(name)</b>"), "phone_number": "+491701234567",
      "birthdate": "1980-02-29",
      "address": [
        "street_address": .string("Lindenallee 17\n\(name)haus"), "postal_code": "04109",
        "locality": "Leipzig",
      ],
    ]
  }

  /// What nobody may find afterwards.
  static func traces(_ name: String, _ user: User) -> [String] {
    [
      "\(name.lowercased())@people.example", "user-of-\(name.lowercased())",
      "Mustermann-\(name)", "\(name)haus", "+491701234567", "Lindenallee 17", "203.0.113.77",
      user.id.description,
    ]
  }
}

extension ComplianceHarness {
  func person(_ name: String) async throws -> User {
    var claims = Person.claims(name)
    if try await count("user_account") > 0 { claims["phone_number"] = "+4930123456" }
    let user = try await tenancy.users.create(
      Claims(validating: claims), password: Secret("correct horse battery staple"), in: tenant,
      origin: AuditOrigin(
        actor: .operator("admin"), requestID: "r", ipAddress: nil, userAgent: nil))
    let now = clock.clock.now()
    for index in 0..<2 {
      let session = UUID()
      let place = SealedPlace(
        table: "session", column: "personal", row: ID<SampleSession>(session).description)
      try await database.run(
        InsertSampleSession(
          id: session, user: user.id, token: RandomSource.system.bytes(32),
          personal: user.key.seal(
            ["ip_address": "203.0.113.77", "user_agent": "Testfox"], at: place),
          now: now, expiresAt: now.addingTimeInterval(3600), endedAt: index == 0 ? nil : now),
        in: tenant.schema)
      try await database.run(
        InsertSampleFamily(
          id: UUID(), user: user.id, session: session, now: now,
          expiresAt: now.addingTimeInterval(86400)),
        in: tenant.schema)
    }
    try await database.run(
      InsertSampleCode(
        hash: RandomSource.system.bytes(32), user: user.id, now: now,
        expiresAt: now.addingTimeInterval(60)),
      in: tenant.schema)
    let client = try #require(ClientID("web"))
    try await database.transaction(in: tenant.schema) { tx in
      try await compliance.consents.record(
        ConsentDecision(
          .granted, .application(client, scope: "openid profile"), language: "de",
          method: .consentPage),
        of: user.id, in: tx, tenant: tenant, origin: origin(user))
    }
    try await tenancy.audit.record(
      AuditEvent(
        AuditAction("session.sign_in"), origin: origin(user), subject: user.auditSubject),
      tenant: tenant)
    return user
  }

  func insertClient(_ id: String, name: String = "Web shop") async throws {
    try await database.run(
      InsertSampleClient(
        id: id, metadata: ["client_name": .string(name)], now: clock.clock.now()),
      in: tenant.schema)
  }
}

/// Runs a program and returns what it printed; a failure of the program fails the test.
func output(of program: String, _ arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = [program] + arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  let text = String(decoding: data, as: UTF8.self)
  #expect(process.terminationStatus == 0, "\(program): \(text.prefix(2000))")
  return text
}
