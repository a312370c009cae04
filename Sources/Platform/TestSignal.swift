import Synchronization

/// A point a test can wait for and production ignores (River's `TestSignal`).
///
/// A service says `signal(value)` where something has happened. In production the signal is `.inert` and this costs a
/// nil check; a test passes `.armed()` and waits instead of sleeping.
package struct TestSignal<Value: Sendable>: Sendable {
  private let inbox: Inbox<Value>?

  /// The production signal: nobody listens.
  package static var inert: TestSignal { TestSignal(inbox: nil) }

  /// A signal that keeps the latest 64 values for `wait()`.
  package static func armed() -> TestSignal { TestSignal(inbox: Inbox()) }

  package func signal(_ value: Value) {
    inbox?.put(value)
  }

  /// The next value, in the order signalled; throws when the test is cancelled or waits for longer than the limit.
  package func wait(timeoutSeconds: Int = 60) async throws -> Value {
    guard let inbox else { throw TestSignalError.inert }
    return try await withThrowingTaskGroup(of: Value.self) { group in
      group.addTask { try await inbox.take() }
      group.addTask {
        try await Task.sleep(for: .seconds(timeoutSeconds))
        throw TestSignalError.timedOut
      }
      defer { group.cancelAll() }
      guard let value = try await group.next() else { throw CancellationError() }
      return value
    }
  }
}

extension TestSignal where Value == Void {
  package func signal() {
    signal(())
  }
}

package enum TestSignalError: Error {
  case inert, timedOut
}

private final class Inbox<Value: Sendable>: Sendable {
  private struct State {
    var values: [Value] = []
    var waiters: [(ticket: Int, continuation: CheckedContinuation<Value, any Error>)] = []
    var cancelled: Set<Int> = []
    var nextTicket = 0
  }

  private let state = Mutex(State())

  func put(_ value: Value) {
    let waiter = state.withLock { state -> CheckedContinuation<Value, any Error>? in
      if !state.waiters.isEmpty { return state.waiters.removeFirst().continuation }
      if state.values.count == 64 { state.values.removeFirst() }
      state.values.append(value)
      return nil
    }
    waiter?.resume(returning: value)
  }

  func take() async throws -> Value {
    let ticket = state.withLock { state in
      state.nextTicket += 1
      return state.nextTicket
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let ready: Result<Value, any Error>? = state.withLock { state in
          if state.cancelled.remove(ticket) != nil { return .failure(CancellationError()) }
          if !state.values.isEmpty { return .success(state.values.removeFirst()) }
          state.waiters.append((ticket, continuation))
          return nil
        }
        if let ready { continuation.resume(with: ready) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> CheckedContinuation<Value, any Error>? in
        guard let index = state.waiters.firstIndex(where: { $0.ticket == ticket }) else {
          state.cancelled.insert(ticket)
          return nil
        }
        return state.waiters.remove(at: index).continuation
      }
      waiter?.resume(throwing: CancellationError())
    }
  }
}
