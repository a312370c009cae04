/// A caller waiting for a connection; every field belongs to the pool's lock.
///
/// Invariant behind `@unchecked Sendable`: only code inside `Pool.state.withLock` touches it after it was made.
final class Waiter: @unchecked Sendable {
  typealias Answer = Resumption<Connection, any Error>

  let affinity: Affinity
  /// Nil once the caller has been answered.
  var answer: Answer?
  var deadline: UInt64 = .max
  /// From then on any connection will do.
  var impatientAt: UInt64 = .max
  var isCancelled = false
  /// How often somebody behind was served first.
  fileprivate var timesPassed = 0
  private var homes: Homes?
  private var homesGeneration = -1

  init(_ affinity: Affinity) { self.affinity = affinity }

  /// Whether the place is one of its homes; everything is at home everywhere that belongs to no tenant.
  fileprivate func prefers(_ place: Int, of places: Places) -> Bool {
    if affinity == .platform { return true }
    if homesGeneration != places.generation {
      homes = places.homes(of: affinity)
      homesGeneration = places.generation
    }
    return homes?.contains(place) ?? true
  }
}

/// Callers in the order they came; those who gave up leave a gap that closes when their turn comes.
struct WaitingLine {
  private var line: [Waiter] = []
  private var head = 0
  /// Callers that still wait.
  private(set) var count = 0

  mutating func append(_ waiter: Waiter) {
    line.append(waiter)
    count += 1
  }

  /// When the caller who waits longest gives up; nil while nobody waits.
  var firstDeadline: UInt64? {
    count == 0 ? nil : line[head...].first { $0.answer != nil }?.deadline
  }

  private static let lookAheadMax = 64
  private static let timesPassedMax = 256

  /// The caller to serve with this connection: the first, among those in front, that prefers it; else the very first, if
  /// it has lost patience; else nobody.
  mutating func pop(for place: Int, role: Affinity?, of places: Places, now: UInt64) -> (
    affinity: Affinity, answer: Waiter.Answer
  )? {
    dropAnswered()
    guard let first = line[head...].first else { return nil }
    if first.timesPassed < Self.timesPassedMax {
      for waiter in line[head...].prefix(Self.lookAheadMax) where waiter.answer != nil {
        guard waiter.affinity == role || waiter.prefers(place, of: places) else { continue }
        if waiter !== first { first.timesPassed += 1 }
        return take(waiter)
      }
    }
    return first.impatientAt <= now || first.timesPassed >= Self.timesPassedMax ? take(first) : nil
  }

  mutating func popImpatient(now: UInt64) -> (affinity: Affinity, answer: Waiter.Answer)? {
    dropAnswered()
    guard let first = line[head...].first, first.impatientAt <= now else { return nil }
    return take(first)
  }

  private mutating func dropAnswered() {
    while head < line.count, line[head].answer == nil { head += 1 }
    compact()
  }

  mutating func abandon(_ waiter: Waiter) -> Waiter.Answer? { take(waiter)?.answer }

  /// All wait equally long, so those whose time is over stand in front.
  mutating func popExpired(_ now: UInt64) -> [Waiter.Answer] {
    var expired: [Waiter.Answer] = []
    while head < line.count, line[head].answer == nil || line[head].deadline <= now {
      if let (_, answer) = take(line[head]) { expired.append(answer) }
      head += 1
    }
    compact()
    return expired
  }

  mutating func removeAll() -> [Waiter.Answer] {
    let all = line[head...].compactMap { take($0)?.answer }
    line = []
    head = 0
    return all
  }

  private mutating func take(_ waiter: Waiter) -> (affinity: Affinity, answer: Waiter.Answer)? {
    guard let answer = waiter.answer else { return nil }
    waiter.answer = nil
    count -= 1
    return (waiter.affinity, answer)
  }

  private mutating func compact() {
    guard head > 1024, head * 2 > line.count else { return }
    line.removeFirst(head)
    head = 0
  }
}
