import Database
import Synchronization

/// Events waiting for their batch, by tenant, and tenants waiting for theirs, in lines.
///
/// Each tenant is with one worker at a time; what arrives meanwhile is its next batch. A tenant always stands in the same
/// line, so that one connection knows it. One whose batch did not go through with others' stands aside for a while, in
/// a line of its kind, where it holds up none but others like it.
final class AuditQueue: Sendable {
  struct Batch: Sendable {
    let schema: TenantSchema
    let events: [Pending]
  }

  struct Pending: Sendable {
    let record: AuditRecord
    let written: CheckedContinuation<Bool, any Error>
  }

  /// The line of those that stand aside; the others, each with a lane of the database, are numbered up to it.
  static let aside = Database.lanes
  /// What is written together is so small that nobody waits long for it.
  private static let tenantsMax = 32
  private static let eventsMax = 1000
  /// How long a tenant stands aside after it has held up others.
  private static let troubleTime = Duration.seconds(1)

  private struct Lane {
    var waiting: [Pending] = []
    /// In a line, or with a worker.
    var isTaken = false

    mutating func take(max: Int) -> [Pending] {
      let events = Array(waiting.prefix(max))
      waiting.removeFirst(events.count)
      return events
    }
  }

  private struct Line {
    /// Tenants with events and no worker, first come, first served.
    var ready: [TenantSchema] = []
    /// Batches that were tried before.
    var again: [Batch] = []
    var idleWorkers: [CheckedContinuation<[Batch], Never>] = []

    mutating func takeIdle() -> [CheckedContinuation<[Batch], Never>] {
      defer { idleWorkers = [] }
      return idleWorkers
    }
  }

  private struct State {
    var isOpen = false
    /// Whether something may still be set aside, or taken up there.
    var isAsideOpen = false
    var count = 0
    var lanes: [TenantSchema: Lane] = [:]
    var lines = Array(repeating: Line(), count: aside + 1)
    /// Until when tenants stand aside.
    var troubled: [TenantSchema: ContinuousClock.Instant] = [:]
  }

  private typealias Wake = (worker: CheckedContinuation<[Batch], Never>, group: [Batch])

  private let state = Mutex(State())
  private let countMax: Int

  init(countMax: Int) {
    self.countMax = countMax
  }

  var count: Int { state.withLock { $0.count } }
  var isOpen: Bool { state.withLock { $0.isOpen } }

  func open() {
    state.withLock { state in
      state.isOpen = true
      state.isAsideOpen = true
    }
  }

  /// Takes nothing more; workers finish what is there.
  func close() {
    let workers = state.withLock { state in
      state.isOpen = false
      return (0..<Self.aside).flatMap { state.lines[$0].takeIdle() }
    }
    for worker in workers { worker.resume(returning: []) }
  }

  /// Nobody works on the other lines any more.
  func closeAside() {
    let workers = state.withLock { state in
      state.isAsideOpen = false
      return state.lines[Self.aside].takeIdle()
    }
    for worker in workers { worker.resume(returning: []) }
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
        return .wake(Self.lineUp(schema, &state))
      }
      switch effect {
      case .answer(let result): continuation.resume(with: result)
      case .wake(let wake): wake.map { $0.worker.resume(returning: $0.group) }
      }
    }
  }

  /// The next batches of a line, of a tenant each, waiting for one; none when the queue is closed and empty.
  func next(line: Int) async -> [Batch] {
    await withCheckedContinuation { continuation in
      let group = state.withLock { state -> [Batch]? in
        let group = Self.takeGroup(line, &state)
        let isOpen = line == Self.aside ? state.isAsideOpen : state.isOpen
        if !group.isEmpty || !isOpen { return group }
        state.lines[line].idleWorkers.append(continuation)
        return nil
      }
      if let group { continuation.resume(returning: group) }
    }
  }

  /// The batch is written, or not; its tenant may have the next one.
  func finish(_ batch: Batch, _ result: (Pending) -> Result<Bool, any Error>) {
    let wake = state.withLock { state -> Wake? in
      state.count -= batch.events.count
      state.lanes[batch.schema]?.isTaken = false
      if state.lanes[batch.schema]?.waiting.isEmpty == true {
        state.lanes[batch.schema] = nil
        return nil
      }
      return Self.lineUp(batch.schema, &state)
    }
    wake.map { $0.worker.resume(returning: $0.group) }
    for event in batch.events { event.written.resume(with: result(event)) }
  }

  /// Has the batch tried again by itself, and for a while every other of its tenant, if it is to blame.
  func setAside(_ batch: Batch, isToBlame: Bool) {
    let wake = state.withLock { state -> Wake? in
      if isToBlame {
        let now = ContinuousClock.now
        state.troubled = state.troubled.filter { $0.value > now }
        state.troubled[batch.schema] = now + Self.troubleTime
      }
      state.lines[Self.aside].again.append(batch)
      return Self.wakeWorker(Self.aside, &state)
    }
    wake.map { $0.worker.resume(returning: $0.group) }
  }

  private enum Effect {
    case answer(Result<Bool, any Error>)
    case wake(Wake?)
  }

  /// Where the tenant stands: the same in every process, so that not all wait for all (the hash is FNV-1a).
  static func line(of schema: TenantSchema) -> Int {
    let hash = schema.name.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    return Int(hash % UInt32(aside))
  }

  private static func lineUp(_ schema: TenantSchema, _ state: inout State) -> Wake? {
    guard state.lanes[schema]?.isTaken == false else { return nil }
    state.lanes[schema]?.isTaken = true
    let isTroubled = state.troubled[schema].map { $0 > .now } ?? false
    // After the end of the other lines that one goes on.
    let line = isTroubled || !state.isOpen ? aside : line(of: schema)
    state.lines[line].ready.append(schema)
    return wakeWorker(line, &state)
  }

  private static func wakeWorker(_ line: Int, _ state: inout State) -> Wake? {
    guard let worker = state.lines[line].idleWorkers.popLast() else { return nil }
    return (worker, takeGroup(line, &state))
  }

  private static func takeGroup(_ line: Int, _ state: inout State) -> [Batch] {
    if !state.lines[line].again.isEmpty { return [state.lines[line].again.removeFirst()] }
    var group: [Batch] = []
    var count = 0
    for schema in state.lines[line].ready.prefix(line == aside ? 1 : tenantsMax) {
      guard count < eventsMax else { break }
      let events = state.lanes[schema]?.take(max: eventsMax - count) ?? []
      count += events.count
      group.append(Batch(schema: schema, events: events))
    }
    state.lines[line].ready.removeFirst(group.count)
    return group
  }
}
