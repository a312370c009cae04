package import FoundationEssentials

/// Stops asking something that keeps failing, and tries again with one request after a pause (design section 9).
///
/// A value without a lock: its owner keeps it where the rest of its state is.
package struct CircuitBreaker: Sendable, Hashable {
  /// What a request came to, as far as the health of the other side is concerned.
  package enum Outcome: Sendable, Hashable {
    case healthy, failed
    /// Ended for a reason of ours, such as a cancelled task.
    case undecided
  }

  private enum State: Hashable {
    case closed(failures: Int)
    case open(until: Date)
    /// One request is on its way to find out.
    case probing
  }

  private let failuresMax: Int
  private let pauseSeconds: Int
  private var state = State.closed(failures: 0)

  package init(failuresMax: Int, pauseSeconds: Int) {
    self.failuresMax = failuresMax
    self.pauseSeconds = pauseSeconds
  }

  package var isClosed: Bool {
    if case .closed = state { true } else { false }
  }

  /// Whether a request may go; one that may must be followed by ``record(_:now:)``.
  package mutating func admits(now: Date) -> Bool {
    switch state {
    case .closed: return true
    case .probing: return false
    case .open(let until):
      guard now >= until else { return false }
      state = .probing
      return true
    }
  }

  package mutating func record(_ outcome: Outcome, now: Date) {
    switch (state, outcome) {
    case (_, .healthy): state = .closed(failures: 0)
    case (.closed(let failures), .failed) where failures + 1 < failuresMax:
      state = .closed(failures: failures + 1)
    case (.closed, .failed), (.probing, .failed):
      state = .open(until: now.addingTimeInterval(TimeInterval(pauseSeconds)))
    case (.probing, .undecided): state = .open(until: now)
    // A straggler from before the circuit opened says nothing new.
    case (.open, .failed), (.open, .undecided), (.closed, .undecided): break
    }
  }
}
