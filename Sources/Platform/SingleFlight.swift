import Synchronization

/// Lets one of many callers do the work that all of them wait for.
///
/// The work runs in the first caller's task. When that task is cancelled, the next one in line takes over, so that one
/// client that hangs up does not fail the others. Callers who wait don't notice their own cancellation before the
/// work ends: it must be bounded in time.
package final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private typealias Waiter = CheckedContinuation<Result<Value, any Error>?, Never>

  private let flights = Mutex<[Key: [Waiter]]>([:])

  package init() {}

  /// The outcome of `work`, which should first look whether somebody has just done it.
  package func value(
    for key: Key, _ work: @Sendable () async throws -> Value
  ) async throws -> Value {
    while true {
      let leads = flights.withLock { flights in
        guard flights[key] == nil else { return false }
        flights[key] = []
        return true
      }
      if leads { return try await lead(key, work) }
      if let outcome = await follow(key) { return try outcome.get() }
      try Task.checkCancellation()
    }
  }

  private func lead(_ key: Key, _ work: @Sendable () async throws -> Value) async throws -> Value {
    let outcome: Result<Value, any Error>
    do {
      outcome = .success(try await work())
    } catch {
      outcome = .failure(error)
    }
    let waiters = flights.withLock { $0.removeValue(forKey: key) ?? [] }
    let isAbandoned =
      if case .failure(let error) = outcome { error is CancellationError } else { false }
    for waiter in waiters { waiter.resume(returning: isAbandoned ? nil : outcome) }
    return try outcome.get()
  }

  /// Nil when the work was abandoned, or has ended before this caller could wait for it.
  private func follow(_ key: Key) async -> Result<Value, any Error>? {
    await withCheckedContinuation { continuation in
      let waits = flights.withLock { flights in
        guard flights[key] != nil else { return false }
        flights[key]?.append(continuation)
        return true
      }
      if !waits { continuation.resume(returning: nil) }
    }
  }
}
