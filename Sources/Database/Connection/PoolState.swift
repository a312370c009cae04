/// Who has which connection and who waits for one; every decision of the pool that needs no waiting.
struct PoolState {
  private(set) var idle: [Idle] = []
  var places = Places()
  /// Idle, lent and being opened.
  var open = 0
  var opening = 0
  var waiters = WaitingLine()
  var lastFailure: DatabaseError?
  /// No connection is opened before this time, after a failure.
  var retryAt: UInt64 = 0
  var backoffNanoseconds = PoolState.backoffMin
  var isStarted = false
  var isClosed = false

  static let backoffMin: UInt64 = 50_000_000
  private static let backoffMax: UInt64 = 1_000_000_000
  /// How long a caller waits for one of its homes while others are idle.
  private static let patienceNanoseconds: UInt64 = 100_000_000

  /// An idle connection for the caller: one that has its role, else one of its homes, else the next best, if waiting for
  /// a home makes no sense.
  mutating func takeIdle(for affinity: Affinity, now: UInt64) -> Idle? {
    guard !isClosed, !idle.isEmpty else { return nil }
    if let index = idle.lastIndex(where: { $0.role == affinity }) {
      return lend(at: index, to: affinity, now: now)
    }
    guard let homes = places.homes(of: affinity) else {
      return lend(at: 0, to: affinity, now: now)
    }
    let best = bestIdle(for: affinity)
    guard
      homes.contains(idle[best].connection.place)
        || places.areTaken(
          homes, from: affinity, longerThan: Self.patienceNanoseconds, now: now)
    else { return nil }
    return lend(at: best, to: affinity, now: now)
  }

  /// The idle connection that the caller likes most, so that it always strays to the same ones; for the platform's the first.
  private func bestIdle(for affinity: Affinity) -> Int {
    let weights = idle.map { Places.weight(of: affinity, at: $0.connection.place) }
    return weights.indices.max { weights[$0] < weights[$1] } ?? 0
  }

  private mutating func lend(at index: Int, to affinity: Affinity, now: UInt64) -> Idle {
    let taken = idle.remove(at: index)
    places.lend(taken.connection.place, to: affinity, now: now)
    return taken
  }

  /// The next caller for a connection that became free; without one it is idle.
  mutating func giveBack(_ connection: Connection, now: UInt64) -> Waiter.Answer? {
    let role = connection.affinity
    if let waiter = waiters.pop(for: connection.place, role: role, of: places, now: now) {
      places.lend(connection.place, to: waiter.affinity, now: now)
      return waiter.answer
    }
    places.giveBack(connection.place)
    idle.append(Idle(connection: connection, role: role, since: now))
    return nil
  }

  /// Callers whose patience is at its end, with idle connections that are not their homes.
  mutating func matchImpatient(now: UInt64) -> [(Waiter.Answer, Connection)] {
    var matches: [(Waiter.Answer, Connection)] = []
    while !idle.isEmpty, let (affinity, answer) = waiters.popImpatient(now: now) {
      let idle = lend(at: bestIdle(for: affinity), to: affinity, now: now)
      matches.append((answer, idle.connection))
    }
    return matches
  }

  mutating func appendWaiter(_ waiter: Waiter, now: UInt64, waitSeconds: Int) {
    waiter.deadline = now + UInt64(waitSeconds) * 1_000_000_000
    waiter.impatientAt = now + Self.patienceNanoseconds
    waiters.append(waiter)
  }

  mutating func noteOpened() {
    opening -= 1
    lastFailure = nil
    retryAt = 0
    backoffNanoseconds = Self.backoffMin
  }

  /// Notes a failure to open; the callers to refuse if waiting will not help them.
  mutating func noteFailure(_ error: DatabaseError, now: UInt64) -> [Waiter.Answer] {
    opening -= 1
    open -= 1
    lastFailure = error
    retryAt = now + backoffNanoseconds
    backoffNanoseconds = min(backoffNanoseconds * 2, Self.backoffMax)
    return error.isPermanentRefusal && open == 0 ? waiters.removeAll() : []
  }

  /// How many connections to open for those who wait, unless there are idle ones; they are counted from now on.
  mutating func planOpening(connectionsMax: Int, now: UInt64) -> Int {
    guard !isClosed, now >= retryAt else { return 0 }
    // While the server refuses, one attempt at a time is enough.
    let openingMax = lastFailure == nil ? connectionsMax : 1
    let missing = min(
      waiters.count - idle.count - opening, connectionsMax - open, openingMax - opening)
    open += max(missing, 0)
    opening += max(missing, 0)
    return max(missing, 0)
  }

  /// Connections nobody needed for a while, the oldest first; one stays.
  mutating func takeSurplus(now: UInt64, idleSeconds: Int) -> [Connection] {
    let limit = UInt64(idleSeconds) * 1_000_000_000
    let count = idle.prefix { now > $0.since && now - $0.since > limit }.count
    let surplus = idle.prefix(max(0, min(count, open - 1))).map(\.connection)
    idle.removeFirst(surplus.count)
    for connection in surplus { leave(connection) }
    return surplus
  }

  /// A connection that is not coming back.
  mutating func leave(_ connection: Connection) {
    open -= 1
    places.leave(connection.place)
  }

  mutating func close() -> (idle: [Connection], waiting: [Waiter.Answer]) {
    guard !isClosed else { return ([], []) }
    isClosed = true
    let connections = idle.map(\.connection)
    idle = []
    for connection in connections { leave(connection) }
    return (connections, waiters.removeAll())
  }
}

/// A connection nobody uses.
struct Idle {
  let connection: Connection
  /// Whose role it has.
  let role: Affinity?
  let since: UInt64
}
