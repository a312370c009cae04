import FoundationEssentials
import Platform
import Synchronization

/// Why a running job is told to stop.
enum StopReason: Hashable, Sendable {
  /// Somebody asked for it.
  case cancelled
  case timeout
  /// Another worker has the job.
  case lost
  /// The worker shuts down.
  case shutdown
}

/// A job that a slot works on: where its handler, the clock and the heartbeat meet.
final class RunningJob: Sendable {
  private struct State {
    var stop: StopReason?
    var waiter: CheckedContinuation<StopReason?, Never>?
    var isOver = false
    var progress: JobProgress?
    var isProgressNew = false
  }
  let job: ClaimedJob
  let deadline: Date
  private let state = Mutex(State())

  init(_ job: ClaimedJob, deadline: Date) {
    self.job = job
    self.deadline = deadline
  }

  var stopReason: StopReason? { state.withLock(\.stop) }

  /// Tells the job to stop; the first reason counts.
  func stop(_ reason: StopReason) {
    let waiter = state.withLock { state -> CheckedContinuation<StopReason?, Never>? in
      guard state.stop == nil else { return nil }
      state.stop = reason
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(returning: reason)
  }

  /// Lets ``stopped()`` return, because the handler has.
  func end() {
    let waiter = state.withLock { state in
      state.isOver = true
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(returning: nil)
  }

  /// Waits until the job is told to stop, or is over.
  func stopped() async -> StopReason? {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.stop == nil, !state.isOver {
          state.waiter = continuation
          return false
        }
        return true
      }
      if isOver { continuation.resume(returning: stopReason) }
    }
  }

  func report(_ progress: JobProgress) {
    state.withLock { state in
      state.progress = progress
      state.isProgressNew = true
    }
  }

  /// Puts back what could not be written; something newer may have come meanwhile.
  func reportAgain() {
    state.withLock { $0.isProgressNew = $0.progress != nil }
  }

  /// The progress since the last call, so that at most one a second is written.
  func takeProgress() -> JobProgress? {
    state.withLock { state in
      defer { state.isProgressNew = false }
      return state.isProgressNew ? state.progress : nil
    }
  }
}
