import Database
import Foundation
import Jobs
import Platform
import ServiceLifecycle
import Synchronization

/// Jobs that do nothing: how many two workers get through, and how soon one begins.
struct JobsRow: Row {
  let name = "jobs"
  let work = "jobs, no-op, two workers"
  let isMixed = true
  let usesOrganizations = false
  let bars = [
    Bar("rate", "jobs/s", .atLeast(20_000)),
    Bar("wake-up", "ms p50 from commit to start", .atMost(20)),
    Bar("cpu", "µs of processor each"), Bar("postgres", "µs of processor each, Postgres"),
  ]

  private static let jobs = 100_000
  private static let wakeUps = 100

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let url = try Services.scratchDatabase("tenure_bench_jobs")
    let laboratories = [Laboratory(url), Laboratory(url), Laboratory(url)]
    defer { for laboratory in laboratories { laboratory.database.close() } }
    let outside = laboratories[2]
    try await outside.migrator.migrateControl()
    let counter = JobCounter()
    let wakeUp = JobWakeUp(database: outside.database, logger: outside.logger)
    let queue = JobQueue(
      database: outside.database, wakeUp: wakeUp, clock: .system, random: .system)
    let organizations = (0..<tenants).map { _ in UUID() }
    try await queue.enqueue(
      each: (0..<Self.jobs).map { (organizations[$0 % tenants], Nothing(number: $0)) })
    var read = SettingsReader.documentation
    let settings = JobWorkerSettings(&read)
    let workers = laboratories.prefix(2).map { laboratory in
      JobWorker(
        database: laboratory.database, handlers: [NothingHandler(counter: counter)],
        settings: settings, clock: .system, random: .system, logger: laboratory.logger, tracer: nil)
    }
    let group = ServiceGroup(services: workers + [wakeUp], logger: outside.logger)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      let before = ProcessInfo.processInfo.processorSeconds
      let start = ContinuousClock.now
      tasks.addTask { try await group.run() }
      let (_, cost) = try await bench.accounting {
        try await Self.wait { counter.count == Self.jobs }
        // Done is what is written down as done.
        try await Self.wait { try await outside.database.first(JobsLeft()) == false }
      }
      let seconds = (ContinuousClock.now - start).inSeconds
      let own = ProcessInfo.processInfo.processorSeconds - before
      let latencies = try await Self.wakeUps(queue, counter)
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      guard counter.count == Self.jobs + Self.wakeUps else {
        throw BenchFailure("\(counter.count) jobs ran.")
      }
      let jobs = Double(Self.jobs)
      return [
        "rate": jobs / seconds, "wake-up": latencies[latencies.count / 2] * 1e3,
        "cpu": own / jobs * 1e6, "postgres": cost.postgres / jobs * 1e6,
      ]
    }
  }

  /// Seconds from the commit that adds a job to its start, in order.
  private static func wakeUps(_ queue: JobQueue, _ counter: JobCounter) async throws -> [Double] {
    var latencies: [Double] = []
    for number in jobs..<(jobs + wakeUps) {
      try await Task.sleep(for: .milliseconds(50))
      try await queue.enqueue(
        Nothing(number: number), organization: nil, runAt: nil, uniqueKey: nil)
      let committed = ContinuousClock.now
      try await wait { counter.count == number + 1 }
      latencies.append(max(0, (counter.last - committed).inSeconds))
    }
    return latencies.sorted()
  }

  private static func wait(_ isDone: () async throws -> Bool) async throws {
    let start = ContinuousClock.now
    while try await !isDone() {
      guard ContinuousClock.now - start < .seconds(120) else {
        throw BenchFailure("The jobs do not come to their end.")
      }
      try await Task.sleep(for: .milliseconds(2))
    }
  }
}

private struct Nothing: Job {
  static let kind = "bench.nothing"
  static let options = JobOptions(
    attemptsMax: 3, timeoutSeconds: 60, priority: 100, concurrency: .unlimited)
  let number: Int
}

private struct NothingHandler: JobHandler {
  let counter: JobCounter

  func run(_ payload: Nothing, _ context: JobContext) async throws { counter.add() }
}

/// How many jobs began, and when the last one did.
private final class JobCounter: Sendable {
  private let state = Mutex((count: 0, last: ContinuousClock.now))

  var count: Int { state.withLock { $0.count } }
  var last: ContinuousClock.Instant { state.withLock { $0.last } }

  func add() {
    let now = ContinuousClock.now
    state.withLock { $0 = ($0.count + 1, now) }
  }
}

private struct JobsLeft: Statement {
  static let sql: SQL<Self> = "select exists (select from control.job)"
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}
