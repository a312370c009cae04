import Database
import FoundationEssentials
import Platform

@testable import Jobs

/// A worker that claims one job and is never heard of again.
enum CrashedWorker {
  static func claim(
    _ database: Database, handlers: [any JobHandler], clock: WallClock
  ) async throws -> JobContext {
    let worker = UUID()
    let claimer = JobClaimer(
      database: database, kinds: handlers.map { type(of: $0).limits }, worker: worker,
      leaseSeconds: 30, clock: clock)
    // A worker that has just been stopped may still hold the lock of those who claim.
    let job = try await eventually { try await claimer.claim(1).first }
    return JobContext(
      id: job.id, organization: job.organization, attempt: job.attempt, worker: worker,
      running: RunningJob(job, deadline: .distantFuture))
  }
}
