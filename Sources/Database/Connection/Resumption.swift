/// The right to resume one waiting task; whoever holds it must use it exactly once.
///
/// The unchecked continuation underneath is what makes a statement cheap; the locks around every `Resumption?` in this module,
/// from which it is taken out before use, are what makes it safe.
@safe struct Resumption<Value: Sendable, Failure: Error>: Sendable {
  private let continuation: UnsafeContinuation<Value, Failure>

  fileprivate init(_ continuation: UnsafeContinuation<Value, Failure>) {
    unsafe self.continuation = continuation
  }

  func callAsFunction(_ value: sending Value) { unsafe continuation.resume(returning: value) }
  func callAsFunction(throwing error: Failure) { unsafe continuation.resume(throwing: error) }
}

/// Suspends the task; `body` keeps the right to resume it.
func suspending<Value>(_ body: (Resumption<Value, Never>) -> Void) async -> Value {
  unsafe await withUnsafeContinuation { unsafe body(Resumption($0)) }
}

/// Suspends the task; `body` keeps the right to resume it.
func suspendingThrowing<Value>(_ body: (Resumption<Value, any Error>) -> Void) async throws -> Value
{
  unsafe try await withUnsafeThrowingContinuation { unsafe body(Resumption($0)) }
}
