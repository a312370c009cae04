/// A caller waiting for a connection; every field belongs to the pool's lock.
///
/// Invariant behind `@unchecked Sendable`: only code inside `Pool.state.withLock` touches it after it was made.
final class Waiter: @unchecked Sendable {
  typealias Answer = Resumption<Connection, any Error>

  /// Nil once the caller has been answered.
  var answer: Answer?
  var deadline: UInt64 = .max
  var isCancelled = false
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

  mutating func popFirst() -> Waiter.Answer? {
    while head < line.count {
      let waiter = line[head]
      head += 1
      compact()
      if let answer = take(waiter) { return answer }
    }
    return nil
  }

  mutating func abandon(_ waiter: Waiter) -> Waiter.Answer? { take(waiter) }

  /// All wait equally long, so those whose time is over stand in front.
  mutating func popExpired(_ now: UInt64) -> [Waiter.Answer] {
    var expired: [Waiter.Answer] = []
    while head < line.count, line[head].answer == nil || line[head].deadline <= now {
      if let answer = take(line[head]) { expired.append(answer) }
      head += 1
    }
    compact()
    return expired
  }

  mutating func removeAll() -> [Waiter.Answer] {
    let all = line[head...].compactMap { take($0) }
    line = []
    head = 0
    return all
  }

  private mutating func take(_ waiter: Waiter) -> Waiter.Answer? {
    guard let answer = waiter.answer else { return nil }
    waiter.answer = nil
    count -= 1
    return answer
  }

  private mutating func compact() {
    guard head > 1024, head * 2 > line.count else { return }
    line.removeFirst(head)
    head = 0
  }
}
