import Database
import FoundationEssentials
import Logging
import Platform
@testable import Tenancy
import TestSupport
import Testing

@Suite("Design section 6: the audit trail")
struct AuditRecorderTests {
  let harness: TenancyHarness
  let spill = FilePath("/tmp/tenure-test-\(UUID().uuidString)")
  var tenant: Tenant { harness.tenant }

  init() async throws {
    harness = try await .fresh()
  }

  private func event(_ number: Int, _ user: User? = nil) -> AuditEvent {
    AuditEvent(
      AuditAction("session.sign_in"),
      origin: AuditOrigin(
        actor: user.map { .user($0.id) } ?? .anonymous, requestID: "r\(number)",
        ipAddress: "192.0.2.7", userAgent: "Browser"),
      subject: user?.auditSubject, detail: ["n": .integer(number)])
  }

  private func recorder(_ database: Database? = nil, queueMax: Int = 10_000) -> AuditRecorder {
    Tenancy.forTests(
      database ?? harness.database, harness.tenancy.masterKey, harness.clock.clock,
      harness.test.logger, spill: spill, queueMax: queueMax
    ).audit
  }

  /// A database nobody answers for.
  private func away() -> Database {
    var read = SettingsReader.documentation
    var settings = DatabaseSettings(&read)
    settings.connectSeconds = 1
    settings.waitSeconds = 1
    return Database(
      url: Secret("postgresql://nobody@127.0.0.1:1/none"), settings: settings,
      logger: harness.test.logger)
  }

  @Test(
    "the table refuses what is no outcome and no kind of actor",
    arguments: ["outcome", "actor_kind"])
  func checks(_ column: String) async throws {
    try await recorder().record(event(0), tenant: tenant)
    let table = "\(tenant.schema.name).audit_event"
    let error = await #expect(throws: DatabaseError.self) {
      try await harness.database.script("update \(table) set \(column) = 'other'")
    }
    #expect(error?.sqlState == .checkViolation)
    #expect(error?.constraint == "audit_event_\(column)_check")
  }

  @Test("50 writers at once: no gap, no duplicate, and none of those that roll back")
  func inTransactions() async throws {
    struct Cancelled: Error {}
    let audit = recorder()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<50 {
        group.addTask {
          for round in 0..<4 {
            do {
              try await harness.database.transaction(in: tenant.schema) { tx in
                try await audit.record(event(number * 10 + round), in: tx, tenant: tenant)
                if round == 3 { throw Cancelled() }
              }
            } catch is Cancelled {}
          }
        }
      }
      try await group.waitForAll()
    }
    try await harness.expectSoundTrail(150)
    #expect(Set(try await harness.events().map(\.detail)).count == 150)
  }

  @Test("group commit: everything arrives, many events in one transaction")
  func groupCommit() async throws {
    let user = try await harness.user(["username": "alice"])
    let tenancy = Tenancy.forTests(
      harness.database, harness.tenancy.masterKey, harness.clock.clock, harness.test.logger,
      spill: spill)
    try await tenancy.serving(harness.test.logger) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<1000 {
          group.addTask { try await tenancy.audit.record(event(number, user), tenant: tenant) }
        }
        try await group.waitForAll()
      }
    }
    try await harness.expectSoundTrail(1001)
    let events = try await harness.events()
    #expect(Set(events.map(\.id)).count == 1001)
    #expect(Set(events.map(\.transaction)).count < 200)
    let signIn = try #require(events.last)
    #expect(signIn.subject == user.id && signIn.actorID == user.id.description)
    let personal = try user.key.open(
      #require(signIn.personal),
      at: SealedPlace(table: "audit_event", column: "personal", row: signIn.id.description))
    #expect(personal == ["ip_address": "192.0.2.7", "user_agent": "Browser"])
    // The service has stopped; events are still written, one by one.
    try await tenancy.audit.record(event(0), tenant: tenant)
    try await harness.expectSoundTrail(1002)
  }

  @Test func bothFormsShareTheCounter() async throws {
    let tenancy = harness.another()
    try await tenancy.serving(harness.test.logger) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<100 {
          group.addTask {
            if number.isMultiple(of: 2) {
              try await tenancy.audit.record(event(number), tenant: tenant)
            } else {
              try await harness.database.transaction(in: tenant.schema) { tx in
                try await tenancy.audit.record(event(number), in: tx, tenant: tenant)
              }
            }
          }
        }
        try await group.waitForAll()
      }
    }
    try await harness.expectSoundTrail(100)
  }

  @Test func refusesWhatItCanNotHold() async throws {
    let queue = AuditQueue(countMax: 1)
    queue.open()
    let record = AuditRecord(
      event(0), tenant: tenant, clock: harness.clock.clock, random: .system)
    let schema = tenant.schema
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<2 {
        group.addTask {
          do { return try await queue.submit(record, schema: schema) } catch AuditError.overloaded {
            return false
          }
        }
      }
      #expect(try await group.next() == false)
      let batch = try #require(await queue.next(line: AuditQueue.line(of: schema)).first)
      queue.finish(batch) { _ in .success(true) }
      #expect(try await group.next() == true)
    }
  }

  @Test("one event that Postgres refuses does not take others with it")
  func poison() async throws {
    let tenancy = harness.another()
    try await tenancy.serving(harness.test.logger) {
      let failures = await withTaskGroup(of: Bool.self) { group in
        for number in 0..<20 {
          group.addTask {
            var event = event(number)
            if number == 7 {
              event = AuditEvent(
                event.action,
                origin: AuditOrigin(
                  actor: .client("a\u{0}b"), requestID: nil, ipAddress: nil, userAgent: nil),
                subject: nil)
            }
            return (try? await tenancy.audit.record(event, tenant: tenant)) == nil
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(failures == 1)
    }
    try await harness.expectSoundTrail(19)
  }

  @Test("while Postgres is away events go to a file, and from there to Postgres, once")
  func spillAndReplay() async throws {
    defer { try? FileManager.default.removeItem(atPath: spill.text) }
    let user = try await harness.user(["username": "alice-in-the-clear"])
    do {
      let outage = recorder(away())
      for number in 0..<20 { try await outage.record(event(number, user), tenant: tenant) }
      #expect(try await harness.events().count == 1)
      // The file is its owner's while it lives.
      #expect(try await recorder().replay() == 0)
      await #expect(throws: DatabaseError.self) { try await outage.replay() }
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: spill.text)
    let path = spill.appending(try #require(names.first)).text
    let bytes = try #require(FileManager.default.contents(atPath: path))
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(!text.contains("192.0.2.7") && !text.contains("alice-in-the-clear"))

    #expect(try await recorder().replay() == 20)
    try await harness.expectSoundTrail(21)
    #expect(try await harness.events().compactMap { $0.detail["n"]?.integerValue } == Array(0..<20))
    // A crash between the commit and the removal of the file: the same events again.
    try bytes.write(to: URL(filePath: path))
    _ = try await recorder().replay()
    try await harness.expectSoundTrail(21)
    #expect(try FileManager.default.contentsOfDirectory(atPath: spill.text).isEmpty)
  }

  @Test("what was spilled about somebody who is erased meanwhile arrives anonymised")
  func replayAfterErasure() async throws {
    defer { try? FileManager.default.removeItem(atPath: spill.text) }
    let user = try await harness.user(["username": "alice"])
    do {
      let outage = recorder(away())
      try await outage.record(event(1, user), tenant: tenant)
    }
    _ = try await harness.database.transaction(in: tenant.schema) { tx in
      try await harness.tenancy.users.markErasing(user.id, in: tx, tenant: tenant, origin: .system)
    }
    #expect(try await recorder().replay() == 1)
    let event = try #require(try await harness.events().last)
    #expect(event.action == "session.sign_in" && event.seq == 3)
    #expect(event.subject == nil && event.actorID == nil)
    #expect(event.personal == nil && event.commitmentKey == nil)
    #expect(event.commitment.count == 32)
  }

  @Test func theServiceReplaysAtItsStart() async throws {
    defer { try? FileManager.default.removeItem(atPath: spill.text) }
    do {
      let outage = recorder(away())
      try await outage.record(event(1), tenant: tenant)
    }
    let tenancy = Tenancy.forTests(
      harness.database, harness.tenancy.masterKey, harness.clock.clock, harness.test.logger,
      spill: spill)
    try await tenancy.serving(harness.test.logger) {
      try await eventually { try await harness.events().count == 1 }
    }
    try await harness.expectSoundTrail(1)
  }

  @Test("somebody who is being erased is not named by what is recorded in a transaction")
  func transactionAfterErasure() async throws {
    let user = try await harness.user(["username": "alice"])
    _ = try await harness.database.transaction(in: tenant.schema) { tx in
      try await harness.tenancy.users.markErasing(user.id, in: tx, tenant: tenant, origin: .system)
    }
    try await harness.database.transaction(in: tenant.schema) { tx in
      try await recorder().record(event(1, user), in: tx, tenant: tenant)
    }
    let events = try await harness.events()
    #expect(events.map(\.action) == ["user.created", "user.erasing", "session.sign_in"])
    for row in events.dropFirst() {
      #expect(row.subject == nil && row.actorID == nil)
      #expect(row.personal == nil && row.commitmentKey == nil)
    }
  }

  @Test("an event that waits while an erasure begins does not name the person")
  func batchDuringErasure() async throws {
    let user = try await harness.user(["username": "alice"])
    try await withThrowingTaskGroup(of: Void.self) { group in
      try await harness.database.transaction(in: tenant.schema) { tx in
        _ = try await harness.tenancy.users.markErasing(
          user.id, in: tx, tenant: tenant, origin: .system)
        group.addTask { try await recorder().record(event(1, user), tenant: tenant) }
        try await eventually { try await harness.isAnybodyWaiting() }
      }
      try await group.waitForAll()
    }
    let row = try #require(try await harness.events().last)
    #expect(row.action == "session.sign_in" && row.seq == 3)
    #expect(row.subject == nil && row.actorID == nil && row.personal == nil)
  }

  @Test("an event that waits for its subject does not hold the counter meanwhile")
  func orderOfLocks() async throws {
    let user = try await harness.user(["username": "alice"])
    try await withThrowingTaskGroup(of: Void.self) { group in
      try await harness.database.transaction(in: tenant.schema) { tx in
        _ = try await tx.first(LockUser(id: user.id))
        group.addTask { try await recorder().record(event(1, user), tenant: tenant) }
        try await eventually { try await harness.isAnybodyWaiting() }
        #expect(try await tx.first(LockTestHead()) == 1)
      }
      try await group.waitForAll()
    }
    #expect(try await harness.events().map(\.seq) == [1, 2])
  }

  @Test func aTenantWithoutACounterIsAMistake() async throws {
    try await harness.database.run(DeleteTestHead(), in: tenant.schema)
    await #expect(throws: AuditError.noHead) {
      try await recorder().record(event(1), tenant: tenant)
    }
    await #expect(throws: AuditError.noHead) {
      try await harness.database.transaction(in: tenant.schema) { tx in
        try await recorder().record(event(1), in: tx, tenant: tenant)
      }
    }
  }
}

private struct LockTestHead: Statement {
  static let sql: SQL<Self> = "select last_seq from \(tenant).audit_head for update nowait"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

struct DeleteTestHead: Statement {
  static let sql: SQL<Self> = "delete from \(tenant).audit_head"
}
