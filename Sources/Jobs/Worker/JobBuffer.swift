import Platform
import Synchronization

/// Claimed jobs on their way to the slots, and the decision how many to claim next.
///
/// Quick jobs are claimed by the hundred; as soon as claimed jobs have to wait, they are handed back
/// and the claims shrink to the slots that are free, so that long jobs do not hold others.
final class JobBuffer: Sendable {
  private struct State {
    var pending: [ClaimedJob] = []
    var head = 0
    var slots: [CheckedContinuation<ClaimedJob?, Never>] = []
    var claimMax: Int
    var unsettled = 0
    var fullClaimAt: ContinuousClock.Instant?
    /// Jobs that slots took since the last look, and whether they were too few then already.
    var taken = 0
    var isSlow = false
    var isClosed = false

    var count: Int { pending.count - head }
  }
  private let state: Mutex<State>
  private let limits: JobLimits
  /// Rings when the claimer has a reason to look again.
  let demand = Doorbell()

  init(limits: JobLimits) {
    self.limits = limits
    state = Mutex(State(claimMax: limits.slots))
  }

  /// How many jobs to claim now.
  var room: Int {
    state.withLock { state in
      if state.isClosed || state.unsettled >= limits.unsettledMax { return 0 }
      guard state.claimMax > limits.slots else { return max(0, state.slots.count - state.count) }
      return state.count <= state.claimMax / 2 ? state.claimMax - state.count : 0
    }
  }

  /// Takes in what a claim for `room` jobs brought.
  func add(_ jobs: [ClaimedJob], room: Int) {
    var wake: [(CheckedContinuation<ClaimedJob?, Never>, ClaimedJob)] = []
    state.withLock { state in
      state.unsettled += jobs.count
      if state.head > 0 {
        state.pending.removeFirst(state.head)
        state.head = 0
      }
      // Full claims soon after one another: the queue is long and the jobs are quick.
      let instant = ContinuousClock.now
      if jobs.count == room {
        if let last = state.fullClaimAt, instant - last < .milliseconds(100) {
          state.claimMax = min(state.claimMax * 2, limits.claimMax)
        }
        state.fullClaimAt = instant
      }
      state.pending.append(contentsOf: jobs)
      while state.head < state.pending.count, let slot = state.slots.popLast() {
        wake.append((slot, state.pending[state.head]))
        state.head += 1
        state.taken += 1
      }
    }
    for (slot, job) in wake { slot.resume(returning: job) }
  }

  /// The next job for a slot; nil when the worker shuts down.
  func next() async -> ClaimedJob? {
    await withCheckedContinuation { continuation in
      let job = state.withLock { state -> ClaimedJob?? in
        if state.head < state.pending.count {
          state.head += 1
          state.taken += 1
          return .some(state.pending[state.head - 1])
        }
        if state.isClosed { return .some(nil) }
        state.slots.append(continuation)
        return nil
      }
      if let job { continuation.resume(returning: job) }
      if room > 0 { demand.ring() }
    }
  }

  /// Jobs whose outcome is written make room for others.
  func settle(_ count: Int) {
    state.withLock { $0.unsettled -= count }
    if room > 0 { demand.ring() }
  }

  /// Jobs that would wait long for a slot, to be handed back; called once a second.
  func takeStale() -> [ClaimedJob] {
    state.withLock { state in
      let isSlow = state.count > 4 * state.taken
      defer {
        state.isSlow = isSlow
        state.taken = 0
      }
      guard isSlow, state.isSlow else { return [] }
      state.claimMax = limits.slots
      return Self.takeAll(&state)
    }
  }

  /// Ends the work: no slot gets another job; returns the jobs that none had begun.
  func close() -> [ClaimedJob] {
    let (jobs, slots) = state.withLock { state in
      state.isClosed = true
      defer { state.slots = [] }
      return (Self.takeAll(&state), state.slots)
    }
    for slot in slots { slot.resume(returning: nil) }
    demand.ring()
    return jobs
  }

  private static func takeAll(_ state: inout State) -> [ClaimedJob] {
    let jobs = Array(state.pending[state.head...])
    state.pending = []
    state.head = 0
    return jobs
  }
}

/// The sizes a worker works with.
package struct JobLimits: Hashable, Sendable {
  /// Jobs that run at the same time.
  package let slots: Int
  /// Jobs that one claim takes at most.
  package let claimMax: Int
  /// Claimed jobs whose outcome is not written yet.
  package let unsettledMax: Int

  package init(slots: Int, claimMax: Int, unsettledMax: Int) {
    self.slots = slots
    self.claimMax = claimMax
    self.unsettledMax = unsettledMax
  }
}
