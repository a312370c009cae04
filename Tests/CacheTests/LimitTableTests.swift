import FoundationEssentials
import Platform
import Testing

@testable import Cache

/// A charge of a limit with a name.
func charge(_ policy: LimitPolicy, _ name: String, _ count: Int, _ burst: Int) -> LimitCharge {
  guard let rate = Rate(count, per: .second, burst: burst) else { preconditionFailure("no rate") }
  return LimitCharge(policy, rate, tenant: LimitTableTests.tenant, .name(name))
}

@Suite("Rate limits in memory: GCRA")
struct LimitTableTests {
  static let tenant = UUID()
  static let start = 1_700_000_000_000_000.0

  @Test("a burst at once, then one for each interval, and no more")
  func burst() {
    var table = LimitTable(capacity: 100)
    let a = charge(.client, "a", 10, 5)
    for left in (0..<5).reversed() {
      let verdict = table.takeFromMemory([a], Self.start)
      #expect(verdict.refusal == nil)
      #expect(verdict.states.first?.remaining == left)
    }
    #expect(table.takeFromMemory([a], Self.start).refusal?.resetSeconds == 1)
    #expect(table.takeFromMemory([a], Self.start + 99_999).refusal != nil)
    #expect(table.takeFromMemory([a], Self.start + 100_000).refusal == nil)
    #expect(table.takeFromMemory([a], Self.start + 100_000).refusal != nil)
    // A pause gives the burst back, not more.
    let later = Self.start + 60_000_000
    for _ in 0..<5 { #expect(table.takeFromMemory([a], later).refusal == nil) }
    #expect(table.takeFromMemory([a], later).refusal != nil)
  }

  @Test("over a long time exactly the rate passes")
  func rate() {
    var table = LimitTable(capacity: 100)
    let a = charge(.client, "a", 100, 10)
    var passed = 0
    for step in 0..<10_000
    where table.takeFromMemory([a], Self.start + Double(step) * 1000).refusal == nil {
      passed += 1
    }
    #expect((1009...1011).contains(passed))
  }

  @Test("all limits of a request agree, or none is charged")
  func atomic() {
    var table = LimitTable(capacity: 100)
    let (wide, narrow) = (charge(.tenant, "", 1, 100), charge(.client, "a", 1, 1))
    #expect(table.takeFromMemory([wide, narrow], Self.start).refusal == nil)
    for _ in 0..<50 {
      #expect(table.takeFromMemory([wide, narrow], Self.start).refusal?.policy == .client)
    }
    #expect(table.takeFromMemory([wide], Self.start).states.first?.remaining == 98)
  }

  @Test("keys differ by what they limit, whom and where")
  func keys() {
    var table = LimitTable(capacity: 100)
    let rate = Rate(1, per: .second, burst: 1)
    let charges = [
      charge(.client, "a", 1, 1), charge(.client, "b", 1, 1), charge(.user, "a", 1, 1),
      rate.map { LimitCharge(.client, $0, tenant: UUID(), .name("a")) },
    ]
    for case .some(let charge) in charges {
      #expect(table.takeFromMemory([charge], Self.start).refusal == nil)
      #expect(table.takeFromMemory([charge], Self.start).refusal != nil)
    }
  }

  @Test("a permit that is given back can be taken again")
  func giveBack() {
    var table = LimitTable(capacity: 100)
    let a = charge(.client, "a", 1, 1)
    #expect(table.takeFromMemory([a], Self.start).refusal == nil)
    table.giveBack([a], Self.start, isShared: false)
    #expect(table.takeFromMemory([a], Self.start).refusal == nil)
    #expect(table.takeFromMemory([a], Self.start).refusal != nil)
  }

  @Test("a clock that was set back does not lock anybody out")
  func clockSetBack() {
    var table = LimitTable(capacity: 100)
    let a = charge(.client, "a", 10, 5)
    _ = table.takeFromMemory([a], Self.start + 3_600_000_000)
    #expect(table.takeFromMemory([a], Self.start).refusal?.resetSeconds == 1)
    #expect(table.takeFromMemory([a], Self.start + 200_000).refusal == nil)
  }

  @Test("memory is bounded, and what is used stays")
  func bounded() {
    var table = LimitTable(capacity: 100)
    let kept = charge(.client, "kept", 1, 2)
    _ = table.takeFromMemory([kept], Self.start)
    for index in 0..<10_000 {
      _ = table.takeFromMemory([charge(.address, "\(index)", 1, 1)], Self.start)
      if index % 20 == 0 { _ = table.takeFromMemory([kept], Self.start) }
      #expect(table.count <= 100)
    }
    #expect(table.takeFromMemory([kept], Self.start).refusal != nil)
  }
}

@Suite("Rate limits in leases from Redis")
struct LeaseTests {
  static let start = LimitTableTests.start
  /// Leases of 50 permits.
  static let busy = charge(.client, "a", 1000, 1000)

  static func asked(_ step: LimitTable.Step) -> [LeaseRequest]? {
    if case .ask(let requests) = step { requests } else { nil }
  }

  static func decided(_ step: LimitTable.Step) -> LimitVerdict? {
    if case .decided(let verdict) = step { verdict } else { nil }
  }

  @Test("one round trip pays for a lease of requests")
  func lease() throws {
    var table = LimitTable(capacity: 100)
    let requests = try #require(Self.asked(table.takeFromLeases([Self.busy], Self.start)))
    #expect(requests.map(\.wanted) == [50])
    let lease = Lease(granted: 50, remaining: 950, wait: 0)
    let verdict = table.settle([Self.busy], requests, [lease], Self.start)
    #expect(verdict.states.first?.remaining == 999)
    for left in (950..<999).reversed() {
      let verdict = try #require(Self.decided(table.takeFromLeases([Self.busy], Self.start)))
      #expect(verdict.refusal == nil)
      #expect(verdict.states.first?.remaining == left)
    }
    #expect(Self.asked(table.takeFromLeases([Self.busy], Self.start)) != nil)
  }

  @Test("a lease ends after a second, used or not")
  func expires() throws {
    var table = LimitTable(capacity: 100)
    let requests = try #require(Self.asked(table.takeFromLeases([Self.busy], Self.start)))
    let lease = Lease(granted: 50, remaining: 950, wait: 0)
    _ = table.settle([Self.busy], requests, [lease], Self.start)
    #expect(Self.decided(table.takeFromLeases([Self.busy], Self.start + 999_999)) != nil)
    #expect(Self.asked(table.takeFromLeases([Self.busy], Self.start + 1_000_000)) != nil)
  }

  @Test("while one request fetches a lease the others take one permit each")
  func stampede() throws {
    var table = LimitTable(capacity: 100)
    #expect(Self.asked(table.takeFromLeases([Self.busy], Self.start))?.first?.wanted == 50)
    #expect(Self.asked(table.takeFromLeases([Self.busy], Self.start))?.first?.wanted == 1)
  }

  @Test("a refusal is remembered: a flood does not reach Redis")
  func refusal() throws {
    var table = LimitTable(capacity: 100)
    let requests = try #require(Self.asked(table.takeFromLeases([Self.busy], Self.start)))
    let lease = Lease(granted: 0, remaining: 0, wait: 3_000_000)
    let verdict = table.settle([Self.busy], requests, [lease], Self.start)
    #expect(verdict.refusal?.resetSeconds == 3)
    let next = try #require(Self.decided(table.takeFromLeases([Self.busy], Self.start + 1_000_000)))
    #expect(next.refusal?.resetSeconds == 2)
    #expect(Self.asked(table.takeFromLeases([Self.busy], Self.start + 3_000_000)) != nil)
  }

  @Test("limits with a lease are not asked for; a refusal by another returns their permit")
  func mixed() throws {
    var table = LimitTable(capacity: 100)
    let slow = charge(.user, "u", 1, 1)
    var requests = try #require(Self.asked(table.takeFromLeases([Self.busy], Self.start)))
    _ = table.settle(
      [Self.busy], requests, [Lease(granted: 50, remaining: 0, wait: 0)], Self.start)
    requests = try #require(Self.asked(table.takeFromLeases([Self.busy, slow], Self.start)))
    #expect(requests.map(\.charge.key.policy) == [.user])
    #expect(requests.map(\.wanted) == [1])
    let refused = table.settle(
      [Self.busy, slow], requests, [Lease(granted: 0, remaining: 0, wait: 9)], Self.start)
    #expect(refused.refusal?.policy == .user)
    let next = try #require(Self.decided(table.takeFromLeases([Self.busy], Self.start)))
    #expect(next.states.first?.remaining == 48)
  }

  @Test("when Redis does not answer, memory decides")
  func fallback() throws {
    var table = LimitTable(capacity: 100)
    let one = charge(.client, "one", 1, 1)
    let requests = try #require(Self.asked(table.takeFromLeases([one], Self.start)))
    #expect(table.settleFromMemory([one], requests, Self.start).refusal == nil)
    #expect(table.settleFromMemory([one], requests, Self.start).refusal != nil)
  }
}
