import Database
import FoundationEssentials
import Platform
import TestSupport
import Testing

@testable import Jobs

@Suite("Design section 8: leases, fencing, retries, fairness")
struct JobRobustnessTests {
  static let count = CountHandler.limits

  @Test("the job of a worker that fell silent is taken over")
  func takeOver() async throws {
    let harness = try await JobsHarness.fresh()
    let id = try await harness.queue.enqueue(
      Count(number: 7), organization: nil, runAt: nil, uniqueKey: nil)
    let lost = try await harness.claimer([Self.count]).claim(10)
    #expect(lost.map(\.id) == [id])
    let handler = CountHandler()
    try await harness.serving([harness.worker([handler])]) {
      #expect(try await harness.state(id) == .running)
      harness.clock.advance(bySeconds: 31)
      try await eventually { try await harness.state(id) == .completed }
    }
    #expect(handler.attempts == [2])
  }

  @Test("a worker that lost a job can neither complete it nor commit for it")
  func fencing() async throws {
    let harness = try await JobsHarness.fresh()
    let id = try #require(
      try await harness.queue.enqueue(
        Count(number: 1), organization: nil, runAt: nil, uniqueKey: nil))
    let stalled = UUID()
    let old = JobClaimer(
      database: harness.database, kinds: [Self.count], worker: stalled, leaseSeconds: 30,
      clock: harness.clock.clock)
    let job = try #require(try await old.claim(1).first)
    let context = JobContext(
      id: id, organization: nil, attempt: job.attempt, worker: stalled,
      running: RunningJob(job, deadline: .distantFuture))
    try await harness.database.transaction { tx in try await context.fence(tx) }

    harness.clock.advance(bySeconds: 31)
    #expect(try await old.rescue() == 1)
    let new = try #require(try await harness.claimer([Self.count]).claim(1).first)
    #expect(new.id == id && new.attempt == 2)

    let writer = OutcomeWriter(
      database: harness.database, worker: stalled, clock: harness.clock.clock)
    try await writer.write([
      .init(job: job, outcome: .completed),
      .init(job: job, outcome: .returned),
      .init(job: job, outcome: .failed(error: "x", runAt: .distantPast, dead: true)),
    ])
    #expect(try await harness.queue.find(id)?.state == .running)
    #expect(try await old.extend([job]).isEmpty)
    await #expect(throws: JobLost.self) {
      try await harness.database.transaction { tx in try await context.fence(tx) }
    }
  }

  @Test("a fenced transaction keeps its job even when the lease runs out meanwhile")
  func fenceHolds() async throws {
    let harness = try await JobsHarness.fresh()
    let id = try await harness.queue.enqueue(
      Count(number: 1), organization: nil, runAt: nil, uniqueKey: nil)
    let worker = UUID()
    let claimer = JobClaimer(
      database: harness.database, kinds: [Self.count], worker: worker, leaseSeconds: 30,
      clock: harness.clock.clock)
    let job = try #require(try await claimer.claim(1).first)
    let context = JobContext(
      id: job.id, organization: nil, attempt: 1, worker: worker,
      running: RunningJob(job, deadline: .distantFuture))
    try await harness.database.transaction { tx in
      try await context.fence(tx)
      harness.clock.advance(bySeconds: 31)
      #expect(try await claimer.rescue() == 0)
      // The heartbeat neither waits for the transaction nor takes the job for lost.
      #expect(try await claimer.extend([job]) == [job.id: false])
      // Nor does the report of progress wait, which belongs to the same beat.
      #expect(try await claimer.write([(job: job, progress: JobProgress(done: 1, total: 3))]) == [])
    }
    #expect(
      try await claimer.write([(job: job, progress: JobProgress(done: 1, total: 3))]) == [job.id])
    #expect(try await claimer.rescue() == 1)
    #expect(try await harness.state(id) == .available)
  }

  @Test("failures wait longer each time, and then the job is dead until it is redriven")
  func retries() async throws {
    let harness = try await JobsHarness.fresh()
    let id = try #require(
      try await harness.queue.enqueue(
        Fail(isPermanent: false), organization: nil, runAt: nil, uniqueKey: nil))
    try await harness.serving([harness.worker([FailHandler()])]) {
      for (attempt, most) in [(1, 2.0), (2, 4.0)] {
        try await eventually {
          let job = try await harness.queue.find(id)
          return job?.attempt == attempt && job?.state == .available
        }
        let job = try #require(try await harness.queue.find(id))
        #expect(job.error == "The moon is not full.")
        let wait = try #require(job.runAt).timeIntervalSince(harness.clock.clock.now())
        #expect((most / 2...most).contains(wait))
        harness.clock.advance(bySeconds: wait)
      }
      try await eventually { try await harness.state(id) == .dead }
      #expect(try await harness.queue.find(id)?.attempt == 3)
      #expect(try await harness.queue.retry(id))
      try await eventually { try await harness.queue.find(id)?.attempt == 1 }
    }
  }

  @Test("what cannot be helped is dead at once")
  func permanent() async throws {
    let harness = try await JobsHarness.fresh()
    let id = try #require(
      try await harness.queue.enqueue(
        Fail(isPermanent: true), organization: nil, runAt: nil, uniqueKey: nil))
    try await harness.serving([harness.worker([FailHandler()])]) {
      try await eventually { try await harness.state(id) == .dead }
    }
    #expect(try await harness.queue.find(id)?.attempt == 1)
  }

  @Test("a job that takes too long is stopped")
  func timeout() async throws {
    let harness = try await JobsHarness.fresh()
    let started = TestSignal<Void>.armed()
    let id = try #require(
      try await harness.queue.enqueue(Wait(), organization: nil, runAt: nil, uniqueKey: nil))
    try await harness.serving([harness.worker([WaitHandler(started: started)])]) {
      try await started.wait()
      harness.clock.advance(bySeconds: 21)
      try await eventually { try await harness.state(id) == .dead }
    }
    #expect(try await harness.queue.find(id)?.error == "The job took too long.")
  }

  @Test("each organization gets its share of a claim, whoever came first")
  func fair() async throws {
    let harness = try await JobsHarness.fresh()
    let large = UUID()
    let small = (0..<4).map { _ in UUID() }
    try await harness.queue.enqueue(each: (0..<1000).map { (large, Count(number: $0)) })
    harness.clock.advance(bySeconds: 1)
    try await harness.queue.enqueue(
      each: small.flatMap { organization in
        (0..<10).map { (organization, Count(number: $0)) }
      })
    try await harness.queue.enqueue(
      Count(number: 0), organization: nil, runAt: nil, uniqueKey: nil)
    let claimer = harness.claimer([Self.count])
    let first = try await claimer.claim(60)
    for organization in small {
      #expect(first.filter { $0.organization == organization }.count == 10)
    }
    #expect(first.filter { $0.organization == large }.count == 10)
    #expect(first.filter { $0.organization == nil }.count == 1)
    // Fewer places than organizations: they take turns.
    var turns: Set<UUID> = []
    try await harness.queue.enqueue(
      each: (0..<30).map { _ in (UUID(), Count(number: 0)) })
    for _ in 0..<31 { turns.formUnion(try await claimer.claim(1).compactMap(\.organization)) }
    #expect(turns.count >= 30)
    #expect(try await claimer.claim(5000).count == 990 - 1)
  }

  @Test("limits per kind and per organization hold over all workers")
  func limits() async throws {
    let harness = try await JobsHarness.fresh()
    let organizations = [UUID(), UUID()]
    for organization in organizations + organizations + organizations {
      try await harness.queue.enqueue(
        Limited(), organization: organization, runAt: nil, uniqueKey: nil)
    }
    let kind = JobKindLimits(kind: Limited.kind, concurrency: Limited.options.concurrency)
    let first = try await harness.claimer([kind]).claim(10)
    #expect(first.count == 3)
    #expect(Set(first.map(\.organization)).count == 2)
    #expect(try await harness.claimer([kind]).claim(10).isEmpty)
    harness.clock.advance(bySeconds: 31)
    #expect(try await harness.claimer([kind]).rescue() == 3)
    // Claims at the same time take turns.
    let counts = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask { try await harness.claimer([kind]).claim(10).count }
      }
      return try await group.reduce(0, +)
    }
    #expect(counts == 3)
  }
}
