import Database
import Foundation
import Jobs
import Platform
import Tenancy
import TestSupport
import Testing

@testable import Compliance

@Suite("GDPR Article 5(1)(e): retention")
struct RetentionTests {
  private let day = 86400.0

  private func finished(
    _ harness: ComplianceHarness, _ run: RetentionRun
  ) async throws -> RetentionRun {
    try await harness.working {
      try await eventually {
        try await harness.compliance.retention.find(run.id, in: harness.tenant)?.state != .running
      }
    }
    return try #require(try await harness.compliance.retention.find(run.id, in: harness.tenant))
  }

  @Test("a new tenant has a rule for each declared target, and a nightly run")
  func seeded() async throws {
    let harness = try await ComplianceHarness.fresh()
    let rules = try await harness.compliance.retention.rules(in: harness.tenant)
    let targets = ComplianceHarness.declarations.flatMap(\.retention)
    #expect(Set(rules.map(\.id)) == Set(targets.map(\.id)))
    #expect(rules.first { $0.id == "session.ended" }?.keepDays == 30)
    #expect(rules.first { $0.id == "user.inactive" }?.isEnabled == false)
    let scheduler = JobScheduler(
      database: harness.database,
      wakeUp: JobWakeUp(database: harness.database, logger: harness.test.logger),
      handlers: harness.compliance.jobHandlers,
      settings: JobSchedulerSettings(tickSeconds: 0.02, keepFinishedDays: 14),
      clock: harness.clock.clock, random: .system, logger: harness.quiet)
    harness.clock.advance(bySeconds: 86400)
    try await harness.working {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await scheduler.run() }
        try await eventually { try await harness.count("retention_run") == 1 }
        group.cancelAll()
      }
      try await eventually {
        let runs = try await harness.compliance.retention.list(
          before: nil, limit: 1, in: harness.tenant)
        return runs.first?.state == .completed
      }
    }
    let run = try #require(
      try await harness.compliance.retention.list(before: nil, limit: 1, in: harness.tenant).first)
    #expect(run.channel == .schedule && !run.isDryRun)
    #expect(Set(run.counts.map(\.rule)) == Set(rules.filter(\.isEnabled).map(\.id)))
  }

  @Test("what a dry run counts is what the run takes away, also along references")
  func dryRunEqualsRun() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let bruno = try await harness.person("Bruno")
    _ = try await harness.answer(.export, alice)
    // A session that has ended, with a grant that has not: it is kept.
    let now = harness.clock.clock.now()
    let session = UUID()
    try await harness.database.run(
      InsertSampleSession(
        id: session, user: bruno.id, token: RandomSource.system.bytes(32), personal: [1], now: now,
        expiresAt: now, endedAt: now),
      in: harness.tenant.schema)
    try await harness.database.run(
      InsertSampleFamily(
        id: UUID(), user: bruno.id, session: session, now: now,
        expiresAt: now.addingTimeInterval(400 * day)),
      in: harness.tenant.schema)
    let retention = harness.compliance.retention
    let early = try await retention.dryRun(
      .adminAPI, in: harness.tenant, origin: .system)
    #expect(early.counts.allSatisfy { $0.rows == 0 })

    harness.clock.advance(bySeconds: 40 * day)
    let dry = try await retention.dryRun(.adminAPI, in: harness.tenant, origin: .system)
    let counts = Dictionary(uniqueKeysWithValues: dry.counts.map { ($0.rule, $0.rows) })
    #expect(counts["token_family.expired"] == 4)
    #expect(counts["session.ended"] == 4)
    #expect(counts["one_time_token.expired"] == 2)
    #expect(counts["export_package.expired"] == 1)
    #expect(try await harness.count("session") == 5)

    let started = try await retention.start(.adminAPI, in: harness.tenant, origin: .system)
    #expect(started.counts == dry.counts)
    let run = try await finished(harness, started)
    #expect(run.state == .completed)
    #expect(run.counts == dry.counts)
    #expect(try await harness.count("session") == 1)
    #expect(try await harness.count("token_family") == 1)
    #expect(try await harness.count("export_package") == 0)
    #expect(harness.files.isEmpty)
    let again = try await retention.dryRun(.adminAPI, in: harness.tenant, origin: .system)
    #expect(again.counts.allSatisfy { $0.rows == 0 })
    let events = try await harness.events()
    #expect(events.filter { $0.action == "retention.run" }.count == 5)
    #expect(events.map(\.seq) == Array(1...events.count))
  }

  @Test("many rows go in batches, each once")
  func batches() async throws {
    let harness = try await ComplianceHarness.fresh()
    try await harness.database.script(
      """
      insert into \(harness.tenant.schema.quoted).token_revocation (jti, created_at, expires_at)
      select 'jti-' || n, '2026-01-01', case when n % 10 = 0 then '2036-01-01'::timestamptz
                                             else '2026-01-01'::timestamptz end
        from generate_series(1, 30000) as n
      """)
    let run = try await harness.compliance.retention.start(
      .adminAPI, in: harness.tenant, origin: .system)
    let done = try await finished(harness, run)
    #expect(done.counts.first { $0.rule == "token_revocation.expired" }?.rows == 27000)
    #expect(try await harness.count("token_revocation") == 3000)
  }

  @Test("a run that was killed goes on, and its report counts every row once")
  func takeOver() async throws {
    let harness = try await ComplianceHarness.fresh()
    _ = try await harness.person("Alice")
    harness.clock.advance(bySeconds: 40 * day)
    let run = try await harness.compliance.retention.start(
      .adminAPI, in: harness.tenant, origin: .system)
    try await harness.abandoning { context in
      let handler = try #require(
        harness.compliance.jobHandlers.compactMap { $0 as? RetentionHandler }.first)
      var work = try #require(
        try await handler.begin(run.id, harness.tenant, isScheduled: false))
      let rule = try #require(
        work.engine.rules.first { $0.target.id == "token_family.expired" })
      try await handler.apply(rule, &work, harness.tenant, context)
      #expect(try await harness.count("token_family") == 0)
    }
    harness.clock.advance(bySeconds: 31)
    let done = try await finished(harness, run)
    #expect(done.counts == run.counts)
  }

  @Test("inactive accounts are erased by requests of their own")
  func inactive() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    harness.clock.advance(bySeconds: 400 * day)
    let bruno = try await harness.person("Bruno")
    let retention = harness.compliance.retention
    _ = try await retention.setRule(
      "user.inactive", enabled: true, keepDays: 365, in: harness.tenant, origin: .system)
    let run = try await retention.start(.schedule, in: harness.tenant, origin: .system)
    #expect(run.counts.first { $0.rule == "user.inactive" }?.rows == 1)
    let done = try await finished(harness, run)
    #expect(done.counts == run.counts)
    try await harness.working {
      try await eventually {
        try await harness.tenancy.users.find(alice.id, in: harness.tenant) == nil
      }
    }
    #expect(try await harness.tenancy.users.find(bruno.id, in: harness.tenant) != nil)
    let requests = try await harness.compliance.requests.list(
      DataRequestFilter(subject: nil, kind: .erasure, state: nil), before: nil, limit: 10,
      in: harness.tenant)
    #expect(requests.map(\.channel) == [.retention])
    let again = try await retention.dryRun(.adminAPI, in: harness.tenant, origin: .system)
    #expect(again.counts.first { $0.rule == "user.inactive" }?.rows == 0)
  }

  @Test("an account that is in use holds up its own erasure only, and no trail")
  func inactiveOneByOne() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let bruno = try await harness.person("Bruno")
    harness.clock.advance(bySeconds: 400 * day)
    let retention = harness.compliance.retention
    _ = try await retention.setRule(
      "user.inactive", enabled: true, keepDays: 365, in: harness.tenant, origin: .system)
    let run = try await retention.start(.schedule, in: harness.tenant, origin: .system)
    let last = max(alice.id, bruno.id)
    try await harness.working {
      try await harness.database.transaction(in: harness.tenant.schema) { tx in
        _ = try await tx.first(LockSubject(id: last))
        try await eventually {
          let found = try await harness.tenancy.users.find(
            min(alice.id, bruno.id), in: harness.tenant)
          return found == nil
        }
      }
    }
    let done = try await finished(harness, run)
    #expect(done.counts.first { $0.rule == "user.inactive" }?.rows == 2)
  }

  @Test("files that belong to nothing are swept")
  func sweep() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let package = try #require(try await harness.answer(.export, alice).package)
    let folder = harness.archive.appending("\(harness.tenant.id)")
    for name in ["\(ID<ExportPackage>(UUID())).zip", "\(ID<ExportPackage>(UUID())).zip.part"] {
      try Data("orphan".utf8).write(to: URL(filePath: folder.appending(name).text))
    }
    let run = try await harness.compliance.retention.start(
      .adminAPI, in: harness.tenant, origin: .system)
    _ = try await finished(harness, run)
    #expect(harness.files == ["\(package.id).zip"])
  }

  @Test("a rule is changed within its bounds, and a disabled one does nothing")
  func rules() async throws {
    let harness = try await ComplianceHarness.fresh()
    let retention = harness.compliance.retention
    for days in [-1, 36501] {
      await #expect(throws: RetentionError.invalidDays) {
        try await retention.setRule(
          "session.ended", enabled: nil, keepDays: days, in: harness.tenant, origin: .system)
      }
    }
    await #expect(throws: RetentionError.unknownRule) {
      try await retention.setRule(
        "nothing", enabled: true, keepDays: nil, in: harness.tenant, origin: .system)
    }
    let rule = try await retention.setRule(
      "session.ended", enabled: false, keepDays: nil, in: harness.tenant, origin: .system)
    #expect(!rule.isEnabled && rule.keepDays == 30)
    let run = try await retention.dryRun(.adminAPI, in: harness.tenant, origin: .system)
    #expect(!run.counts.contains { $0.rule == "session.ended" })
  }
}
