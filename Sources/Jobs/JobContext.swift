package import Database
package import FoundationEssentials
package import Platform

/// What a handler knows about the job it runs, and the ways it talks back.
package struct JobContext: Sendable {
  package let id: ID<JobRecord>
  package let organization: UUID?
  /// 1 at the first attempt.
  package let attempt: Int
  let worker: UUID
  let running: RunningJob

  /// Says how far the job has come; written at most once a second.
  package func progress(_ done: Int, of total: Int) {
    running.report(JobProgress(done: done, total: total))
  }

  /// Throws when the job is to stop: cancelled, out of time, given to another, or shutting down.
  package func checkCancelled() throws {
    if Task.isCancelled || running.stopReason != nil { throw CancellationError() }
  }

  /// Whether an error ends the job for good, so that its handler has to say so elsewhere.
  ///
  /// One that was stopped, or has another worker, does not speak for the job.
  package func isLastFailure<J: Job>(_ error: any Error, of job: J.Type) -> Bool {
    !(error is CancellationError) && !(error is JobLost) && attempt >= J.options.attemptsMax
  }

  /// Makes the transaction commit only while the job is still this worker's.
  ///
  /// The row stays locked to the end of the transaction; a rescue skips it. So a stalled worker cannot
  /// bring about an effect after another one has taken the job over.
  package func fence(_ tx: Transaction) async throws {
    let fence = FenceJob(id: id, attempt: attempt, worker: worker)
    guard try await tx.platformFirst(fence) != nil else { throw JobLost() }
  }
}

/// The job belongs to another worker now.
package struct JobLost: Error {}
