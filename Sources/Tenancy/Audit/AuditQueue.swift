import Database
import Synchronization

/// Events waiting for their batch, by tenant.
///
/// Each tenant is with one worker at a time; what arrives meanwhile is its next batch.
final class AuditQueue: Sendable {
  struct Batch: Sendable {
    let schema: TenantSchema
    let events: [Pending]
  }

  struct Pending: Sendable {
    let record: AuditRecord
    let written: CheckedContinuation<Bool, any Error>
  }

  private struct Lane {
    var waiting: [Pending] = []
    var isBusy = false
  }

  private struct State {
    var isOpen = false
    var count = 0
    var lanes: [TenantSchema: Lane] = [:]
    /// Tenants with events and no worker, first come, first served.
    var ready: [TenantSchema] = []
    var idleWorkers: [CheckedContinuation<Batch?, Never>] = []
  }

  private let state = Mutex(State())
  private let countMax: Int

  private static let batchCountMax = 1000

  init(countMax: Int) {
    self.countMax = countMax
  }

  var count: Int { state.withLock { $0.count } }
  var isOpen: Bool { state.withLock { $0.isOpen } }

  func open() {
    state.withLock { $0.isOpen = true }
  }

  /// Takes nothing more; workers finish what is there.
  func close() {
    let workers = state.withLock { state in
      state.isOpen = false
      defer { state.idleWorkers = [] }
      return state.idleWorkers
    }
    for worker in workers { worker.resume(returning: nil) }
  }

  /// Waits until the event is written; false, at once, if nobody is working here.
  func submit(_ record: AuditRecord, schema: TenantSchema) async throws -> Bool {
    try await withCheckedThrowingContinuation { continuation in
      let effect = state.withLock { state -> Effect in
        guard state.isOpen else { return .answer(.success(false)) }
        guard state.count < countMax else { return .answer(.failure(AuditError.overloaded)) }
        state.count += 1
        let pending = Pending(record: record, written: continuation)
        state.lanes[schema, default: Lane()].waiting.append(pending)
        guard state.lanes[schema]?.isBusy == false, !state.ready.contains(schema) else {
          return .wait
        }
        state.ready.append(schema)
        guard let worker = state.idleWorkers.popLast() else { return .wait }
        return .wake(worker, Self.takeBatch(&state))
      }
      switch effect {
      case .wait: break
      case .answer(let result): continuation.resume(with: result)
      case .wake(let worker, let batch): worker.resume(returning: batch)
      }
    }
  }

  /// The next batch, waiting for one; nil when the queue is closed and empty.
  func next() async -> Batch? {
    await withCheckedContinuation { continuation in
      let effect = state.withLock { state -> Batch?? in
        if let batch = Self.takeBatch(&state) { return .some(batch) }
        guard state.isOpen else { return .some(nil) }
        state.idleWorkers.append(continuation)
        return nil
      }
      if let effect { continuation.resume(returning: effect) }
    }
  }

  /// The batch is written, or not; its tenant may have the next one.
  func finish(_ batch: Batch, _ result: (Pending) -> Result<Bool, any Error>) {
    state.withLock { state in
      state.count -= batch.events.count
      state.lanes[batch.schema]?.isBusy = false
      if state.lanes[batch.schema]?.waiting.isEmpty == true {
        state.lanes[batch.schema] = nil
      } else {
        state.ready.append(batch.schema)
      }
    }
    for event in batch.events { event.written.resume(with: result(event)) }
  }

  private enum Effect {
    case wait
    case answer(Result<Bool, any Error>)
    case wake(CheckedContinuation<Batch?, Never>, Batch?)
  }

  private static func takeBatch(_ state: inout State) -> Batch? {
    guard !state.ready.isEmpty else { return nil }
    let schema = state.ready.removeFirst()
    guard var lane = state.lanes[schema] else { return nil }
    let events = Array(lane.waiting.prefix(batchCountMax))
    lane.waiting.removeFirst(events.count)
    lane.isBusy = true
    state.lanes[schema] = lane
    return Batch(schema: schema, events: events)
  }
}
