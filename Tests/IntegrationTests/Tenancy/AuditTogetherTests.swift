import Database
import FoundationEssentials
import Platform
import ServiceLifecycle
@testable import Tenancy
import TestSupport
import Testing

@Suite("Design section 6: events of many organizations in one transaction")
struct AuditTogetherTests {
  /// More than there are lines, so that some are written together.
  let harnesses: [TenancyHarness]
  let directory = FilePath("/tmp/tenure-test-\(UUID().uuidString)")

  init() async throws {
    var harnesses: [TenancyHarness] = []
    for _ in 0..<3 * AuditQueue.aside { harnesses.append(try await .fresh()) }
    self.harnesses = harnesses
  }

  private func event(_ number: Int) -> AuditEvent {
    AuditEvent(
      AuditAction("session.sign_in"),
      origin: AuditOrigin(actor: .anonymous, requestID: nil, ipAddress: nil, userAgent: nil),
      subject: nil, detail: ["n": .integer(number)])
  }

  /// A process of its own, and its audit trail.
  private func serving(
    _ database: Database? = nil, _ body: @Sendable (AuditRecorder) async throws -> Void
  ) async throws {
    defer { try? FileManager.default.removeItem(atPath: directory.text) }
    let harness = harnesses[0]
    let tenancy = Tenancy.forTests(
      database ?? harness.database, harness.tenancy.masterKey, harness.clock.clock,
      harness.test.logger, spill: directory)
    try await tenancy.serving(harness.test.logger) { try await body(tenancy.audit) }
  }

  /// So many events of each of the organizations at once; how many were refused.
  @discardableResult
  private func record(
    _ count: Int, of some: some Sequence<TenancyHarness>, _ audit: AuditRecorder
  ) async -> Int {
    await withTaskGroup(of: Bool.self) { group in
      for number in 0..<count {
        for harness in some {
          group.addTask {
            (try? await audit.record(event(number), tenant: harness.tenant)) == nil
          }
        }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
  }

  @Test("each gets its own, in order, and one commit serves several")
  func together() async throws {
    try await serving { audit in
      for number in 0..<10 { #expect(await record(20, of: harnesses, audit) == 0, "\(number)") }
    }
    var transactions: Set<String> = []
    var batches = 0
    for harness in harnesses {
      try await harness.expectSoundTrail(200)
      let own = Set(try await harness.events().map(\.transaction))
      batches += own.count
      transactions.formUnion(own)
    }
    #expect(transactions.count < batches)
  }

  @Test("what is wrong with one organization costs the others nothing")
  func failure() async throws {
    let (noHead, noRight) = (harnesses[0], harnesses[1])
    let (table, role) = (
      "\(noRight.tenant.schema.name).audit_event", noRight.tenant.schema.name
    )
    try await noHead.database.run(DeleteTestHead(), in: noHead.tenant.schema)
    try await noRight.database.script("revoke insert on \(table) from \(role)")
    try await serving { audit in
      #expect(await record(10, of: harnesses, audit) == 20)
      try await noRight.database.script("grant insert on \(table) to \(role)")
      #expect(await record(10, of: harnesses.dropFirst(), audit) == 0)
    }
    try await noRight.expectSoundTrail(10)
    for harness in harnesses.dropFirst(2) { try await harness.expectSoundTrail(20) }
  }

  @Test("an organization whose counter is taken waits alone")
  func lock() async throws {
    let (locked, others) = (harnesses[0], harnesses.dropFirst())
    try await serving { audit in
      try await withThrowingTaskGroup(of: Void.self) { group in
        try await locked.database.transaction(in: locked.tenant.schema) { tx in
          try await audit.record(event(0), in: tx, tenant: locked.tenant)
          group.addTask { #expect(await record(5, of: [locked], audit) == 0) }
          try await eventually { try await locked.isAnybodyWaiting() }
          #expect(await record(10, of: others, audit) == 0)
        }
        try await group.waitForAll()
      }
    }
    try await locked.expectSoundTrail(6)
    for harness in others { try await harness.expectSoundTrail(10) }
  }

  @Test("connections that are killed lose nothing that was acknowledged, and write nothing twice")
  func killed() async throws {
    let name = "audit-\(UUID().uuidString.prefix(8))"
    var read = SettingsReader.documentation
    let url = harnesses[0].test.url.reveal()
    let database = Database(
      url: Secret("\(url)\(url.contains("?") ? "&" : "?")application_name=\(name)"),
      settings: DatabaseSettings(&read), logger: harnesses[0].test.logger)
    defer { database.close() }
    try await serving(database) { audit in
      for round in 0..<6 {
        await withTaskGroup(of: Void.self) { group in
          group.addTask { #expect(await record(30, of: harnesses, audit) == 0, "\(round)") }
          group.addTask {
            for _ in 0..<3 {
              _ = try? await harnesses[0].database.all(KillTestBackends(name: name))
              await Task.yield()
            }
          }
        }
        // So that Postgres is not taken for away any more.
        harnesses[0].clock.advance(bySeconds: 2)
      }
      // A replay that meets a killed connection is tried again.
      try await eventually { (try? await audit.replay()) != nil && !audit.isSpilling }
      try await eventually {
        for harness in harnesses where try await harness.events().count != 180 { return false }
        return true
      }
    }
    for harness in harnesses { try await harness.expectSoundTrail(180) }
  }

  @Test("what is set aside while the service stops is written, too")
  func shutdown() async throws {
    let locked = harnesses[0]
    let audit = locked.another().audit
    let service = ServiceGroup(services: [audit], logger: locked.test.logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await service.run() }
      try await eventually { audit.isBatching }
      try await locked.database.transaction(in: locked.tenant.schema) { tx in
        try await audit.record(event(0), in: tx, tenant: locked.tenant)
        for harness in harnesses {
          group.addTask { try await audit.record(event(1), tenant: harness.tenant) }
        }
        try await eventually { try await locked.isAnybodyWaiting() }
        await service.triggerGracefulShutdown()
      }
      try await group.waitForAll()
    }
    try await locked.expectSoundTrail(2)
    for harness in harnesses.dropFirst() { try await harness.expectSoundTrail(1) }
  }
}

private struct KillTestBackends: Statement {
  let name: String
  static let sql: SQL<Self> = """
    select pg_terminate_backend(pid) from pg_stat_activity where application_name = \(\.name)
    """
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}
