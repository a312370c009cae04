import Database
import FoundationEssentials
import Logging
import Platform
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Jobs

/// A queue on a database of its own: jobs are of all tenants, and so are workers.
struct JobsHarness: Sendable {
  let test: TestDatabase
  let wakeUp: JobWakeUp
  let queue: JobQueue
  let clock: ManualClock

  var database: Database { test.database }

  static func fresh() async throws -> JobsHarness {
    let test = try await TestDatabase.fresh(migrated: true)
    let clock = ManualClock(Date(unixSeconds: 1_800_000_000))
    let wakeUp = JobWakeUp(database: test.database, logger: test.logger)
    return JobsHarness(
      test: test, wakeUp: wakeUp,
      queue: JobQueue(
        database: test.database, wakeUp: wakeUp, clock: clock.clock, random: .system),
      clock: clock)
  }

  func worker(
    _ handlers: [any JobHandler], slots: Int = 4, pollSeconds: Double = 0.05,
    heartbeatSeconds: Double = 0.1, drainSeconds: Double = 0
  ) -> JobWorker {
    JobWorker(
      database: database, handlers: handlers,
      settings: JobWorkerSettings(
        limits: JobLimits(slots: slots, claimMax: 500, unsettledMax: 4000), leaseSeconds: 30,
        heartbeatSeconds: heartbeatSeconds, pollSeconds: pollSeconds, drainSeconds: drainSeconds,
        backoff: JobBackoff(firstSeconds: 2, maxSeconds: 3600)),
      clock: clock.clock, random: .system, logger: quiet, tracer: nil)
  }

  /// What a worker that is gone without a word has left: it claims and never comes back.
  func claimer(_ kinds: [JobKindLimits]) -> JobClaimer {
    JobClaimer(
      database: database, kinds: kinds, worker: UUID(), leaseSeconds: 30, clock: clock.clock)
  }

  /// Runs services around the body and shuts them down gracefully.
  func serving(
    _ services: [any Service], _ body: @Sendable () async throws -> Void
  ) async throws {
    let group = ServiceGroup(services: services, logger: quiet)
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

  func state(_ id: ID<JobRecord>?) async throws -> JobState? {
    guard let id else { return nil }
    return try await queue.find(id)?.state
  }

  /// Jobs that fail on purpose would fill the log.
  private var quiet: Logger {
    var logger = test.logger
    logger.logLevel = .critical
    return logger
  }
}

struct Count: Job {
  static let kind = "test.count"
  static let options = JobOptions(
    attemptsMax: 3, timeoutSeconds: 60, priority: 10, concurrency: .unlimited)
  let number: Int
}

/// Remembers which numbers came, and at which attempt.
final class CountHandler: JobHandler {
  private let seen = Mutex<[(number: Int, attempt: Int)]>([])

  func run(_ payload: Count, _ context: JobContext) async throws {
    seen.withLock { $0.append((payload.number, context.attempt)) }
  }

  var numbers: [Int] { seen.withLock { $0.map(\.number) } }
  var attempts: [Int] { seen.withLock { $0.map(\.attempt) } }
}

struct Fail: Job {
  static let kind = "test.fail"
  static let options = JobOptions(
    attemptsMax: 3, timeoutSeconds: 60, priority: 10, concurrency: .unlimited)
  let isPermanent: Bool
}

struct Refusal: JobFailure {
  let sentence = "The moon is not full."
  let canRetry: Bool
}

struct FailHandler: JobHandler {
  func run(_ payload: Fail, _ context: JobContext) async throws {
    throw Refusal(canRetry: !payload.isPermanent)
  }
}

struct Wait: Job {
  static let kind = "test.wait"
  static let options = JobOptions(
    attemptsMax: 1, timeoutSeconds: 20, priority: 10, concurrency: .unlimited)
}

/// Runs until it is told to stop.
struct WaitHandler: JobHandler {
  var started = TestSignal<Void>.inert

  func run(_ payload: Wait, _ context: JobContext) async throws {
    context.progress(1, of: 3)
    started.signal()
    try await Task.sleep(for: .seconds(3600))
  }
}

struct Limited: Job {
  static let kind = "test.limited"
  static let options = JobOptions(
    attemptsMax: 3, timeoutSeconds: 60, priority: 10,
    concurrency: .limited(perKind: 3, perOrganization: 2))
}
