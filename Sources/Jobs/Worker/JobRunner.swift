import FoundationEssentials
import Platform

/// Runs one claimed job and says what came of it.
struct JobRunner: Sendable {
  let handlers: [String: any JobHandler]
  let backoff: JobBackoff
  let worker: UUID
  let clock: WallClock
  let random: RandomSource

  func run(_ running: RunningJob) async -> JobOutcome {
    let job = running.job
    guard let handler = handlers[job.kind] else { return .returned }
    let context = JobContext(
      id: job.id, organization: job.organization, attempt: job.attempt, worker: worker,
      running: running)
    let failure = await withTaskGroup(of: (any Error)?.self) { group in
      group.addTask {
        defer { running.end() }
        do {
          try await handler.run(payload: job.payload, context)
          return nil
        } catch {
          return error
        }
      }
      // Returns when the job is told to stop, or the handler is done: no timer for each job.
      if await running.stopped() != nil { group.cancelAll() }
      return await group.next() ?? nil
    }
    return outcome(of: job, failure: failure, stop: running.stopReason)
  }

  /// What the end of a handler means for the job; no I/O but the clock.
  func outcome(of job: ClaimedJob, failure: (any Error)?, stop: StopReason?) -> JobOutcome {
    // A handler that came to its end did its work, whatever it was told meanwhile.
    guard let failure else { return .completed }
    switch stop {
    case .cancelled: return .cancelled
    case .lost: return .lost
    case .shutdown: return .returned
    case .timeout: return failed(job, "The job took too long.", canRetry: true)
    case nil: break
    }
    if failure is JobLost { return .lost }
    if Task.isCancelled, failure is CancellationError { return .returned }
    let description = ErrorDescription(failure)
    return failed(job, description.sentence, canRetry: description.canRetry)
  }

  private func failed(_ job: ClaimedJob, _ error: String, canRetry: Bool) -> JobOutcome {
    let delay = backoff.seconds(attempt: job.attempt, random: random)
    return .failed(
      error: error, runAt: clock.now().addingTimeInterval(delay),
      dead: !canRetry || job.attempt >= job.attemptsMax)
  }
}

/// What came of a job.
enum JobOutcome: Hashable, Sendable {
  case completed
  case cancelled
  case failed(error: String, runAt: Date, dead: Bool)
  /// Handed back, as if it had never been claimed.
  case returned
  /// Another worker has it; nothing to write.
  case lost
}

/// The wait before the next attempt: doubles each time, with jitter so that failures spread.
package struct JobBackoff: Hashable, Sendable {
  let firstSeconds: Double
  let maxSeconds: Double

  package init(firstSeconds: Double, maxSeconds: Double) {
    self.firstSeconds = firstSeconds
    self.maxSeconds = maxSeconds
  }

  /// Between half and all of `first × 2^(attempt-1)`, up to the maximum.
  func seconds(attempt: Int, random: RandomSource) -> Double {
    var full = firstSeconds
    for _ in 1..<max(attempt, 1) where full < maxSeconds { full *= 2 }
    let fraction = Double(random.bytes(1).first ?? 0) / 255
    return min(full, maxSeconds) * (0.5 + fraction / 2)
  }
}

extension JobHandler {
  func run(payload: String, _ context: JobContext) async throws {
    let payload = try JobPayload.decode(Payload.self, from: payload)
    try await run(payload, context)
  }

  static var kind: String { Payload.kind }
  static var options: JobOptions { Payload.options }
}
