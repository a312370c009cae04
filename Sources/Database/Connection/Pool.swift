import Logging
import Platform
import Synchronization

/// The connections of this process, lent to one caller at a time.
///
/// A caller gets an idle connection, preferably one that already has its role; else a new one is opened while there may be
/// more; else it waits in line, for a limited time and in limited company.
final class Pool: Sendable {
  private let settings: DatabaseSettings
  private let logger: Logger
  private let connector: Connector
  private let reactor = Reactor()
  private let janitor = Janitor()
  private let state = Mutex(State())

  private struct State {
    var idle: [(connection: Connection, since: UInt64)] = []
    /// Idle, lent and being opened.
    var open = 0
    var opening = 0
    var waiters = WaitingLine()
    var lastFailure: DatabaseError?
    /// No connection is opened before this time, after a failure.
    var retryAt: UInt64 = 0
    var backoffNanoseconds = Pool.backoffMin
    var isStarted = false
    var isClosed = false
  }

  /// A connection that was idle for longer is looked at before it is lent.
  private static let restNanoseconds: UInt64 = 10_000_000
  private static let backoffMin: UInt64 = 50_000_000
  private static let backoffMax: UInt64 = 1_000_000_000

  init(url: Secret<String>, settings: DatabaseSettings, logger: Logger) {
    self.settings = settings
    self.logger = logger
    connector = Connector(url: url, settings: settings)
  }

  var statistics: PoolStatistics {
    state.withLock {
      PoolStatistics(open: $0.open - $0.opening, idle: $0.idle.count, waiting: $0.waiters.count)
    }
  }

  // MARK: Lending

  func lease(for role: TenantSchema?) async throws -> Connection {
    while true {
      guard let (connection, since) = takeIdle(for: role) else { break }
      let rested = Monotonic.now() > since + Self.restNanoseconds
      if connection.isUsable(rested: rested) { return connection }
      connection.markBroken(cancel: false)
      release(connection)
    }
    return try await waitForConnection()
  }

  private func takeIdle(for role: TenantSchema?) -> (connection: Connection, since: UInt64)? {
    state.withLock { state in
      // Whoever waits already was here first.
      guard !state.isClosed, state.waiters.count == 0, !state.idle.isEmpty else { return nil }
      let wanted = role.map(Connection.Role.tenant) ?? .platform
      // The coldest one changes its role, so that busy tenants keep theirs.
      let index = state.idle.lastIndex { $0.connection.role == wanted } ?? 0
      return state.idle.remove(at: index)
    }
  }

  private func waitForConnection() async throws -> Connection {
    let waiter = Waiter()
    return try await withTaskCancellationHandler {
      try await suspendingThrowing { resume in
        let refusal: (any Error)? = state.withLock { state in
          if state.isClosed { return DatabaseError(.cannotConnect, "the database is closed") }
          if waiter.isCancelled { return CancellationError() }
          if state.waiters.count >= settings.waitersMax {
            return DatabaseError(
              .tooManyConnections, "\(state.waiters.count) callers wait for a connection already")
          }
          waiter.answer = resume
          waiter.deadline = Monotonic.now() + UInt64(settings.waitSeconds) * 1_000_000_000
          state.waiters.append(waiter)
          return nil
        }
        if let refusal { return resume(throwing: refusal) }
        openIfNeeded()
      }
    } onCancel: {
      let answer = state.withLock { state in
        waiter.isCancelled = true
        return state.waiters.abandon(waiter)
      }
      answer?(throwing: CancellationError())
    }
  }

  /// Takes a connection back; one that cannot be used again is closed, and replaced if somebody waits.
  func release(_ connection: Connection) {
    if connection.isSpent { return discard(connection) }
    let (waiter, isClosed) = state.withLock { state in
      if state.isClosed { return (nil as Waiter.Answer?, true) }
      let waiter = state.waiters.popFirst()
      if waiter == nil { state.idle.append((connection, Monotonic.now())) }
      return (waiter, false)
    }
    if isClosed { return discard(connection) }
    waiter?(connection)
  }

  private func discard(_ connection: Connection) {
    janitor.enqueue { connection.close() }
    state.withLock { $0.open -= 1 }
    openIfNeeded()
  }

  // MARK: Opening

  /// Asks for as many connections as there are callers waiting, within the limit.
  private func openIfNeeded() {
    let (count, mustStart) = state.withLock { state in
      guard !state.isClosed else { return (0, false) }
      let mustStart = !state.isStarted
      state.isStarted = true
      guard Monotonic.now() >= state.retryAt else { return (0, mustStart) }
      // While the server refuses, one attempt at a time is enough.
      let openingMax = state.lastFailure == nil ? settings.connectionsMax : 1
      let missing = min(
        state.waiters.count - state.opening, settings.connectionsMax - state.open,
        openingMax - state.opening)
      let count = max(missing, 0)
      state.open += count
      state.opening += count
      return (count, mustStart)
    }
    if mustStart {
      janitor.start()
      reactor.start { [weak self] now in self?.tick(now) }
    }
    for _ in 0..<count {
      janitor.enqueue { [weak self] in self?.open() }
    }
  }

  private func open() {
    do throws(DatabaseError) {
      let connection = try connector.open(on: reactor)
      state.withLock { state in
        state.opening -= 1
        state.lastFailure = nil
        state.retryAt = 0
        state.backoffNanoseconds = Self.backoffMin
      }
      release(connection)
      openIfNeeded()
    } catch {
      failedToOpen(error)
    }
  }

  private func failedToOpen(_ error: DatabaseError) {
    logger.warning("no database connection", metadata: ["error": "\(error.debugDescription)"])
    let refused = state.withLock { state in
      state.opening -= 1
      state.open -= 1
      state.lastFailure = error
      state.retryAt = Monotonic.now() + state.backoffNanoseconds
      state.backoffNanoseconds = min(state.backoffNanoseconds * 2, Self.backoffMax)
      return error.isPermanentRefusal && state.open == 0 ? state.waiters.removeAll() : []
    }
    for answer in refused { answer(throwing: error) }
  }

  /// Opens a connection of its own, which counts for no limit (LISTEN).
  func openExtra() async throws -> Connection {
    let mustStart = state.withLock { state in
      defer { state.isStarted = true }
      return !state.isStarted
    }
    if mustStart {
      janitor.start()
      reactor.start { [weak self] now in self?.tick(now) }
    }
    return try await withCheckedThrowingContinuation { continuation in
      janitor.enqueue { [connector, reactor] in
        continuation.resume(with: Result { try connector.open(on: reactor) })
      }
    }
  }

  func closeExtra(_ connection: Connection) {
    janitor.enqueue { connection.close() }
  }

  // MARK: Upkeep

  /// Refuses callers that waited too long, tries again to open connections, and closes idle ones.
  private func tick(_ now: UInt64) {
    let (late, failure, surplus) = state.withLock { state in
      let late = state.waiters.popExpired(now)
      return (late, state.lastFailure, takeSurplus(&state, now))
    }
    let error =
      failure
      ?? DatabaseError(
        .tooManyConnections, "no connection became free within \(settings.waitSeconds) s")
    for answer in late { answer(throwing: error) }
    for connection in surplus {
      janitor.enqueue { connection.close() }
    }
    openIfNeeded()
  }

  /// Connections nobody needed for a while, the oldest first; one stays.
  private func takeSurplus(_ state: inout State, _ now: UInt64) -> [Connection] {
    let limit = UInt64(settings.idleSeconds) * 1_000_000_000
    let count = state.idle.prefix { now > $0.since && now - $0.since > limit }.count
    let surplus = state.idle.prefix(max(0, min(count, state.open - 1))).map(\.connection)
    state.idle.removeFirst(surplus.count)
    state.open -= surplus.count
    return surplus
  }

  func close() {
    let (idle, waiting, isStarted) = state.withLock { state in
      defer { state.isClosed = true }
      guard !state.isClosed else { return ([Connection](), [Waiter.Answer](), false) }
      let idle = state.idle.map(\.connection)
      state.idle = []
      state.open -= idle.count
      return (idle, state.waiters.removeAll(), state.isStarted)
    }
    for answer in waiting {
      answer(throwing: DatabaseError(.cannotConnect, "the database is closed"))
    }
    guard isStarted else { return }
    for connection in idle {
      janitor.enqueue { connection.close() }
    }
  }

  /// Returns once what was to be opened or closed until now has been.
  func drained() async {
    guard state.withLock({ $0.isStarted }) else { return }
    await suspending { (resume: Resumption<Void, Never>) in
      janitor.enqueue { resume(()) }
    }
  }

  deinit {
    guard state.withLock({ $0.isStarted }) else { return }
    janitor.enqueue { [reactor] in reactor.stop() }
    janitor.stop()
  }
}
