import Database
import FoundationEssentials
import Platform
@testable import Tenancy
import TestSupport
import Testing

@Suite("Design section 6: an acknowledged audit event is not lost")
struct AuditReplayTests {
  let harness: TenancyHarness
  let directory = FilePath("/tmp/tenure-test-\(UUID().uuidString)")
  var tenant: Tenant { harness.tenant }

  init() async throws {
    harness = try await .fresh()
  }

  private func record(_ number: Int, actor: Actor = .anonymous) -> AuditRecord {
    AuditRecord(
      AuditEvent(
        AuditAction("session.sign_in"),
        origin: AuditOrigin(actor: actor, requestID: nil, ipAddress: nil, userAgent: nil),
        subject: nil, detail: ["n": .integer(number)]),
      tenant: tenant, clock: harness.clock.clock, random: .system)
  }

  /// One file, of a process that is gone.
  private func spill(_ records: [AuditRecord], schema: TenantSchema? = nil) throws {
    try AuditSpill(directory: directory, clock: .system, random: .system)
      .append(records.map { .init(schema: schema ?? tenant.schema, record: $0) })
  }

  private func replay(_ database: Database? = nil) async throws -> Int {
    try await AuditReplay(
      database: database ?? harness.database,
      spill: AuditSpill(directory: directory, clock: .system, random: .system),
      logger: harness.test.logger
    ).run()
  }

  private func files() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.text)
  }

  private func removeFiles() { try? FileManager.default.removeItem(atPath: directory.text) }

  @Test("what one tenant's missing right keeps from being written waits; others do not")
  func lostGrant() async throws {
    defer { removeFiles() }
    let other = try await TenancyHarness.fresh()
    let (table, role) = ("\(tenant.schema.name).audit_event", tenant.schema.name)
    try spill((0..<3).map { record($0) })
    try spill([record(3)], schema: other.tenant.schema)
    try await harness.database.script("revoke insert on \(table) from \(role)")
    for _ in 0..<2 {
      await #expect(throws: DatabaseError.self) { _ = try await replay() }
      #expect(try files().count == 1)
    }
    try await other.expectSoundTrail(1)
    try await harness.database.script("grant insert on \(table) to \(role)")
    #expect(try await replay() == 3)
    try await harness.expectSoundTrail(3)
    #expect(try files().isEmpty)
  }

  @Test("a standby that only reads, and a role whose password is another one now")
  func refusedByTheServer() async throws {
    defer { removeFiles() }
    try spill([record(0)])
    let url = harness.test.url.reveal()
    var read = SettingsReader.documentation
    let readOnly = Database(
      url: Secret(url + "?options=-c%20default_transaction_read_only%3Don"),
      settings: DatabaseSettings(&read), logger: harness.test.logger)
    let unknown = Database(
      url: Secret(url.replacing("//tenure", with: "//nobody")),
      settings: DatabaseSettings(&read), logger: harness.test.logger)
    for database in [readOnly, unknown] {
      await #expect(throws: DatabaseError.self) { _ = try await replay(database) }
      #expect(try files().count == 1)
    }
    #expect(try await replay() == 1)
  }

  @Test("an event that nobody takes is set aside; the others of its file arrive")
  func poison() async throws {
    defer { removeFiles() }
    let record = record(7)
    let refused = AuditRecord(
      id: record.id, occurredAt: record.occurredAt, action: record.action, outcome: "maybe",
      actorKind: record.actorKind, actorID: nil, subject: nil, requestID: nil,
      detail: record.detail, personal: nil, commitment: record.commitment,
      commitmentKey: record.commitmentKey)
    let unreadable = self.record(8, actor: .client("a\u{0}b"))
    try spill((0..<600).map { self.record($0) } + [refused, unreadable, self.record(9)])
    #expect(try await replay() == 601)
    try await harness.expectSoundTrail(601)
    let name = try #require(try files().first)
    #expect(try files().count == 1 && name.hasSuffix(".refused"))
    let bytes = try #require(FileManager.default.contents(atPath: directory.appending(name).text))
    let lines = bytes.split(separator: UInt8(ascii: "\n")).map {
      String(decoding: $0, as: UTF8.self)
    }
    #expect(lines.count == 2)
    #expect(lines.first?.contains(refused.id.description) == true)
    #expect(lines.last?.contains(unreadable.id.description) == true)
    #expect(try await replay() == 0)
  }

  @Test("a batch given up as lost that is committed during its replay arrives once")
  func lateCommit() async throws {
    defer { removeFiles() }
    let records = (0..<20).map { record($0) }
    try spill(records)
    try await withThrowingTaskGroup(of: Void.self) { group in
      try await harness.database.transaction(in: tenant.schema) { tx in
        _ = try await tx.run(InsertAuditBatch(Array(records[..<10])))
        group.addTask {
          let count = try await replay()
          #expect(count == 20)
        }
        try await eventually { try await harness.isAnybodyWaiting() }
      }
      try await group.waitForAll()
    }
    try await harness.expectSoundTrail(20)
    #expect(try files().isEmpty)
  }

  @Test("the events of a tenant that is gone go with it; a lost role alone drops nothing")
  func deletedTenant() async throws {
    defer { removeFiles() }
    try spill([record(0)], schema: TenantSchema(id: UUID()))
    try spill([record(1)])
    #expect(try await replay() == 1)
    #expect(try files().isEmpty)

    let schema = tenant.schema.name
    try await harness.database.script(
      "alter table \(schema).audit_event rename to audit_event_away")
    try spill([record(2)])
    await #expect(throws: DatabaseError.self) { _ = try await replay() }
    try await harness.database.script(
      "alter table \(schema).audit_event_away rename to audit_event")
    #expect(try await replay() == 1)
    try await harness.expectSoundTrail(2)
  }
}
