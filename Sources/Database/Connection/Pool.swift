import Logging
import Platform
import Synchronization

/// The connections of this process, lent to one caller at a time.
///
/// A caller gets an idle connection that already has its role or is its tenant's home. Else it waits in line, for a limited
/// time and in limited company: a moment for its homes, then for any connection; new ones are opened while there may be
/// more and none is idle.
final class Pool: Sendable {
  private let settings: DatabaseSettings
  private let logger: Logger
  private let connector: Connector
  private let reactor = Reactor()
  private let janitor = Janitor()
  private let state = Mutex(PoolState())
  let metrics = DatabaseMetrics()
  /// How often somebody waited for an answer of Postgres.
  var roundTrips: Counter { reactor.roundTrips }

  /// A connection that was idle for longer is looked at before it is lent.
  private static let restNanoseconds: UInt64 = 10_000_000

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

  var queueTime: Duration {
    guard let deadline = state.withLock({ $0.waiters.firstDeadline }) else { return .zero }
    let left = Int64(clamping: deadline) - Int64(clamping: Monotonic.now())
    return max(.zero, .seconds(settings.waitSeconds) - .nanoseconds(left))
  }

  // MARK: Lending

  func lease(for schema: TenantSchema?) async throws -> Connection {
    try await lease(for: Affinity(schema))
  }

  func lease(for affinity: Affinity) async throws -> Connection {
    while true {
      let connection: Connection
      var rested = false
      let now = Monotonic.now()
      if let ready = state.withLock({ $0.takeIdle(for: affinity, now: now) }) {
        connection = ready.connection
        rested = now > ready.since + Self.restNanoseconds
      } else {
        connection = try await waitForConnection(affinity)
      }
      if connection.isUsable(rested: rested) { return connection }
      connection.markBroken(cancel: false)
      release(connection)
    }
  }

  private func waitForConnection(_ affinity: Affinity) async throws -> Connection {
    let waiter = Waiter(affinity)
    let watch = Stopwatch()
    do {
      let connection = try await waitInLine(waiter)
      metrics.waits.observe(watch)
      return connection
    } catch {
      metrics.refused.add()
      throw error
    }
  }

  private func waitInLine(_ waiter: Waiter) async throws -> Connection {
    try await withTaskCancellationHandler {
      try await suspendingThrowing { resume in enqueue(waiter, resume) }
    } onCancel: {
      let answer = state.withLock { state in
        waiter.isCancelled = true
        return state.waiters.abandon(waiter)
      }
      answer?(throwing: CancellationError())
    }
  }

  private func enqueue(_ waiter: Waiter, _ resume: Waiter.Answer) {
    enum Decision { case lend(Connection), refuse(any Error), wait(whileOthersAreIdle: Bool) }
    let now = Monotonic.now()
    let decision: Decision = state.withLock { state in
      if state.isClosed { return .refuse(DatabaseError(.cannotConnect, "the database is closed")) }
      if waiter.isCancelled { return .refuse(CancellationError()) }
      // One may have become free since the caller looked.
      if let ready = state.takeIdle(for: waiter.affinity, now: now) {
        return .lend(ready.connection)
      }
      guard state.waiters.count < settings.waitersMax else {
        return .refuse(
          DatabaseError(
            .tooManyConnections, "\(state.waiters.count) callers wait for a connection already"))
      }
      waiter.answer = resume
      state.appendWaiter(waiter, now: now, waitSeconds: settings.waitSeconds)
      return .wait(whileOthersAreIdle: !state.idle.isEmpty)
    }
    switch decision {
    case .lend(let connection): resume(connection)
    case .refuse(let error): resume(throwing: error)
    case .wait(let whileOthersAreIdle):
      openIfNeeded()
      if whileOthersAreIdle { reactor.hurry() }
    }
  }

  /// Takes a connection back; one that cannot be used again is closed, and replaced if somebody waits.
  func release(_ connection: Connection) {
    if connection.isSpent { return discard(connection) }
    let now = Monotonic.now()
    let (answer, isClosed, othersWait) = state.withLock { state in
      if state.isClosed { return (nil as Waiter.Answer?, true, false) }
      let answer = state.giveBack(connection, now: now)
      return (answer, false, answer == nil && state.waiters.count > 0)
    }
    if isClosed { return discard(connection) }
    answer?(connection)
    // They wait for other connections; when they lose patience, this one will do.
    if othersWait { reactor.hurry() }
  }

  private func discard(_ connection: Connection) {
    janitor.enqueue { connection.close() }
    state.withLock { $0.leave(connection) }
    openIfNeeded()
  }

  // MARK: Opening

  private func startIfNeeded() {
    let mustStart = state.withLock { state in
      defer { state.isStarted = true }
      return !state.isStarted
    }
    guard mustStart else { return }
    janitor.start()
    reactor.start { [weak self] now in self?.tick(now) ?? false }
  }

  /// Asks for as many connections as there are callers waiting, within the limit.
  private func openIfNeeded() {
    let count = state.withLock {
      $0.planOpening(connectionsMax: settings.connectionsMax, now: Monotonic.now())
    }
    guard count > 0 else { return }
    startIfNeeded()
    for _ in 0..<count {
      janitor.enqueue { [weak self] in self?.open() }
    }
  }

  private func open() {
    do throws(DatabaseError) {
      let connection = try connector.open(on: reactor)
      metrics.opened.add()
      state.withLock { state in
        state.noteOpened()
        connection.place = state.places.take()
      }
      release(connection)
      openIfNeeded()
    } catch {
      metrics.notOpened.add()
      logger.warning("no database connection", metadata: ["error": "\(error.debugDescription)"])
      let refused = state.withLock { $0.noteFailure(error, now: Monotonic.now()) }
      for answer in refused { answer(throwing: error) }
    }
  }

  /// Opens a connection of its own, which counts for no limit (LISTEN).
  func openExtra() async throws -> Connection {
    startIfNeeded()
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

  /// Refuses callers that waited too long, tries again to open connections, and closes idle ones; true to be called again
  /// soon, because somebody is losing patience.
  private func tick(_ now: UInt64) -> Bool {
    let (matches, late, failure, surplus, isUrgent) = state.withLock { state in
      let matches = state.matchImpatient(now: now)
      let late = state.waiters.popExpired(now)
      let surplus = state.takeSurplus(now: now, idleSeconds: settings.idleSeconds)
      return (
        matches, late, state.lastFailure, surplus, state.waiters.count > 0 && !state.idle.isEmpty
      )
    }
    for (answer, connection) in matches { answer(connection) }
    let error =
      failure
      ?? DatabaseError(
        .tooManyConnections, "no connection became free within \(settings.waitSeconds) s")
    for answer in late { answer(throwing: error) }
    for connection in surplus {
      janitor.enqueue { connection.close() }
    }
    openIfNeeded()
    return isUrgent
  }

  func close() {
    let (idle, waiting) = state.withLock { $0.close() }
    for answer in waiting {
      answer(throwing: DatabaseError(.cannotConnect, "the database is closed"))
    }
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
