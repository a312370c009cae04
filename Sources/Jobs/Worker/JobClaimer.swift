import Database
import FoundationEssentials
import Platform
import Synchronization

/// Claims jobs and keeps the leases of one worker.
final class JobClaimer: Sendable {
  private let database: Database
  private let quick: [String]
  private let limited: [JobKindLimits]
  private let worker: UUID
  private let leaseSeconds: Double
  private let clock: WallClock
  /// The organization served last; the next claim goes on after it.
  private let cursor = Mutex(UUID.first)

  init(
    database: Database, kinds: [JobKindLimits], worker: UUID, leaseSeconds: Double,
    clock: WallClock
  ) {
    self.database = database
    quick = kinds.filter { $0.concurrency == .unlimited }.map(\.kind)
    limited = kinds.filter { $0.concurrency != .unlimited }
    self.worker = worker
    self.leaseSeconds = leaseSeconds
    self.clock = clock
  }

  func claim(_ room: Int) async throws -> [ClaimedJob] {
    var jobs: [ClaimedJob] = []
    if !limited.isEmpty { jobs = try await claimLimited(room) }
    if !quick.isEmpty, jobs.count < room { jobs += try await claimQuick(room - jobs.count) }
    return jobs
  }

  private func claimQuick(_ room: Int) async throws -> [ClaimedJob] {
    let after = cursor.withLock(\.self)
    var jobs = try await claimQuick(room, after: after)
    if jobs.count < room, after != .first {
      // Past the last organization: round again from the start.
      let rest = try await claimQuick(room - jobs.count, after: .first)
      if !rest.isEmpty { jobs += rest }
    }
    return jobs
  }

  private func claimQuick(_ room: Int, after: UUID) async throws -> [ClaimedJob] {
    let now = clock.now()
    let claim = ClaimJobs(
      kinds: quick, after: after, limit: room, worker: worker, now: now,
      leaseExpiresAt: now.addingTimeInterval(leaseSeconds))
    let jobs = try await database.transaction { tx in
      _ = try await tx.first(PlanAfresh())
      return try await tx.all(claim)
    }
    let last = jobs.map(\.group).max { $0.uuidString < $1.uuidString }
    cursor.withLock { $0 = jobs.count == room ? last ?? .first : .first }
    return jobs
  }

  private func claimLimited(_ room: Int) async throws -> [ClaimedJob] {
    let now = clock.now()
    let claim = ClaimLimitedJobs(
      kinds: limited.map(\.kind), perKind: limited.map(\.perKind),
      perOrganization: limited.map(\.perOrganization), limit: room, worker: worker, now: now,
      leaseExpiresAt: now.addingTimeInterval(leaseSeconds))
    return try await database.transaction { tx in
      // The snapshot of the second statement is younger than the lock.
      guard try await tx.first(LockLimitedClaims()) == true else { return [] }
      _ = try await tx.first(PlanAfresh())
      return try await tx.all(claim)
    }
  }

  /// Extends the leases and says which jobs are still held, with whether they are to be cancelled.
  func extend(_ jobs: [ClaimedJob]) async throws -> [ID<JobRecord>: Bool] {
    let ids = jobs.map(\.id.uuid)
    let attempts = jobs.map(\.attempt)
    let expiry = clock.now().addingTimeInterval(leaseSeconds)
    let extend = ExtendLeases(
      ids: ids, attempts: attempts, worker: worker, leaseExpiresAt: expiry)
    let held = try await database.transaction { tx in
      _ = try await tx.first(PlanAfresh())
      try await tx.run(extend)
      return try await tx.all(HeldJobs(ids: ids, attempts: attempts, worker: worker))
    }
    return Dictionary(held.map { ($0.id, $0.cancel) }, uniquingKeysWith: { first, _ in first })
  }

  /// Takes back what silent workers hold; how many jobs that were.
  func rescue() async throws -> Int {
    let rescue = RescueJobs(now: clock.now(), limit: 1000)
    return try await database.transaction { tx in
      _ = try await tx.first(PlanAfresh())
      return try await tx.run(rescue)
    }
  }

  /// The jobs whose progress is written; others are to try again.
  func write(_ progress: [(job: ClaimedJob, progress: JobProgress)]) async throws -> [ID<JobRecord>]
  {
    let report = ReportProgress(
      ids: progress.map(\.job.id.uuid), attempts: progress.map(\.job.attempt),
      done: progress.map(\.progress.done), total: progress.map(\.progress.total), worker: worker)
    return try await database.transaction { tx in
      _ = try await tx.first(PlanAfresh())
      return try await tx.all(report)
    }
  }
}

/// The limits of one kind, as the claim needs them.
struct JobKindLimits: Hashable, Sendable {
  let kind: String
  let concurrency: JobConcurrency

  var perKind: Int {
    if case .limited(let perKind, _) = concurrency { perKind } else { .max }
  }
  var perOrganization: Int {
    if case .limited(_, let perOrganization) = concurrency { perOrganization } else { .max }
  }
}

extension JobHandler {
  static var limits: JobKindLimits {
    JobKindLimits(kind: kind, concurrency: options.concurrency)
  }
}

extension JobRunner {
  func timeoutSeconds(of job: ClaimedJob) -> Double {
    guard let handler = handlers[job.kind] else { return 0 }
    return Double(type(of: handler).options.timeoutSeconds)
  }
}
