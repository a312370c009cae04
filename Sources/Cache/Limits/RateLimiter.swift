import FoundationEssentials
package import Platform
import Synchronization

/// The rate limits: in Redis for all processes, in memory for one or while Redis is away
/// (docs/decisions/0005).
///
/// The algorithm is GCRA. From Redis a process takes permits in small leases, so that most requests
/// are decided without a round trip; what needs one asks for all its limits at once, and gets all or
/// nothing. Every decision about a request is made in ``take(_:)``.
package final class RateLimiter: RateLimiting {
  private let shared: RedisLimits?
  private let table: Mutex<LimitTable>
  private let clock: WallClock
  private let passed = Counter()
  private let refused = Series(valuesMax: LimitPolicy.allCases.count) { Counter() }

  init(shared: RedisLimits?, capacity: Int, clock: WallClock) {
    self.shared = shared
    self.clock = clock
    table = Mutex(LimitTable(capacity: capacity))
  }

  var metrics: [MetricFamily] {
    [
      .counter(
        "tenure_limits_passed_total", "Checks of a request against limits that it passed.", passed),
      .counter(
        "tenure_limits_refused_total", "Requests turned away by a limit, by which.", by: "limit",
        refused),
    ]
  }

  package func take(_ charges: [LimitCharge]) async -> LimitVerdict {
    guard !charges.isEmpty else { return LimitVerdict(states: [], refusal: nil) }
    let verdict = await decide(charges)
    if let refusal = verdict.refusal {
      refused[refusal.policy.rawValue].add()
    } else {
      passed.add()
    }
    return verdict
  }

  private func decide(_ charges: [LimitCharge]) async -> LimitVerdict {
    let now = clock.microseconds
    guard let shared else { return table.withLock { $0.takeFromMemory(charges, now) } }
    let requests: [LeaseRequest]
    switch table.withLock({ $0.takeFromLeases(charges, now) }) {
    case .decided(let verdict): return verdict
    case .ask(let asked): requests = asked
    }
    do {
      let leases = try await shared.lease(requests)
      return table.withLock { $0.settle(charges, requests, leases, clock.microseconds) }
    } catch {
      return table.withLock { $0.settleFromMemory(charges, requests, clock.microseconds) }
    }
  }

  package func giveBack(_ charges: [LimitCharge]) {
    let now = clock.microseconds
    table.withLock { $0.giveBack(charges, now, isShared: shared != nil) }
  }
}

extension WallClock {
  var microseconds: Double { (now().timeIntervalSince1970 * 1_000_000).rounded() }
}

/// Permits wanted from Redis: one to use now, further ones as a lease.
struct LeaseRequest: Sendable {
  let charge: LimitCharge
  let wanted: Int
}

/// What Redis answers to one request.
struct Lease: Sendable, Hashable {
  let granted: Int
  let remaining: Int
  /// Microseconds until one more permit is there; 0 while there are some.
  let wait: Double
}
