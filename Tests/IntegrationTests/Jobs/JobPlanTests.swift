import Database
import FoundationEssentials
import Platform
import TestSupport
import Testing

@testable import Jobs

@Suite("Design section 8: the queue keeps its speed")
struct JobPlanTests {
  /// A table that a vacuum has seen empty, with many pages, and that has twenty thousand jobs again.
  private static func busy() async throws -> JobsHarness {
    let harness = try await JobsHarness.fresh()
    let organization = UUID()
    for round in 0..<2 {
      try await harness.queue.enqueue(
        each: (0..<20_000).map { (organization, Count(number: $0)) })
      if round == 0 {
        try await harness.database.script("delete from control.job")
        try await harness.database.script("vacuum (truncate off) control.job")
      }
    }
    return harness
  }

  /// How many rows of the table the statement fetches.
  private static func cost(of statement: some Statement, _ database: Database) async throws -> Int {
    try await database.transaction { tx in
      _ = try await tx.first(PlanAfresh())
      let before = try await tx.first(FetchedJobRows()) ?? 0
      _ = try await tx.all(statement)
      return (try await tx.first(FetchedJobRows()) ?? 0) - before
    }
  }

  @Test("no batch reads the whole table, though the planner takes it for empty")
  func batches() async throws {
    let harness = try await Self.busy()
    let (now, worker) = (harness.clock.clock.now(), UUID())
    let claim = ClaimJobs(
      kinds: [Count.kind], after: .first, limit: 40, worker: worker, now: now,
      leaseExpiresAt: now.addingTimeInterval(30))
    #expect(try await Self.cost(of: claim, harness.database) < 400)
    let claimed = try await harness.database.all(claim)
    #expect(claimed.count == 40)
    let ids = claimed.map(\.id.uuid)
    func some(_ range: Range<Int>) -> (ids: [UUID], attempts: [Int]) {
      (Array(ids[range]), claimed[range].map(\.attempt))
    }
    let (held, finished, failed, returned) = (
      some(0..<40), some(0..<10), some(10..<20), some(20..<30)
    )
    let statements: [any Statement] = [
      ExtendLeases(
        ids: held.ids, attempts: held.attempts, worker: worker,
        leaseExpiresAt: now.addingTimeInterval(31)),
      HeldJobs(ids: held.ids, attempts: held.attempts, worker: worker),
      ReportProgress(
        ids: held.ids, attempts: held.attempts, done: held.attempts, total: held.attempts,
        worker: worker),
      FinishJobs(
        ids: finished.ids, attempts: finished.attempts,
        states: finished.ids.map { _ in "completed" }, worker: worker, now: now),
      FailJobs(
        ids: failed.ids, attempts: failed.attempts, runAts: failed.ids.map { _ in now },
        deads: failed.ids.map { _ in true }, errors: failed.ids.map { _ in "e" }, worker: worker),
      ReturnJobs(ids: returned.ids, attempts: returned.attempts, worker: worker),
      RescueJobs(now: now.addingTimeInterval(60), limit: 1000),
    ]
    for statement in statements {
      let cost = try await Self.cost(of: statement, harness.database)
      #expect((1..<400).contains(cost), "\(type(of: statement))")
    }
    let states = try await harness.database.all(CountJobs(now: now))
    #expect(states.first { $0.state == "dead" }?.count == 10)
    #expect(states.filter { $0.state == "running" }.isEmpty)
    #expect(
      try await harness.queue.list(
        JobFilter(state: .completed, kind: nil, organization: nil), before: nil, limit: 50
      ).count == 10)
  }

  @Test("dead rows are taken away by the number of jobs, not by the minute")
  func deadRows() async throws {
    let harness = try await JobsHarness.fresh()
    let deadRows = DeadRows(database: harness.database, logger: harness.test.logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await deadRows.run() }
      deadRows.add(49_999)
      deadRows.add(1)
      try await eventually { try await harness.database.first(JobVacuums()) ?? 0 > 0 }
      group.cancelAll()
    }
  }

  @Test("a job that came back to its worker twice ends by its last attempt")
  func twiceInABatch() async throws {
    let harness = try await JobsHarness.fresh()
    let id = try #require(
      try await harness.queue.enqueue(
        Count(number: 1), organization: nil, runAt: nil, uniqueKey: nil))
    let worker = UUID()
    let claimer = JobClaimer(
      database: harness.database, kinds: [CountHandler.limits], worker: worker, leaseSeconds: 30,
      clock: harness.clock.clock)
    let first = try #require(try await claimer.claim(1).first)
    harness.clock.advance(bySeconds: 31)
    #expect(try await claimer.rescue() == 1)
    let second = try #require(try await claimer.claim(1).first)
    let writer = OutcomeWriter(
      database: harness.database, worker: worker, clock: harness.clock.clock)
    let failed = JobOutcome.failed(error: "x", runAt: .distantPast, dead: true)
    try await writer.write([.init(job: first, outcome: failed)])
    #expect(try await harness.state(id) == .running)
    try await writer.write([
      .init(job: second, outcome: .completed), .init(job: first, outcome: .completed),
    ])
    let job = try #require(try await harness.queue.find(id))
    #expect(job.state == .completed && job.attempt == 2)
  }
}

/// Rows of the queue that this transaction has fetched.
private struct FetchedJobRows: Statement {
  static let sql: SQL<Self> = """
    select (seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint
      from pg_stat_xact_user_tables
     where relid = 'control.job'::regclass
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

private struct JobVacuums: Statement {
  static let sql: SQL<Self> = """
    select vacuum_count from pg_stat_user_tables where relid = 'control.job'::regclass
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}
