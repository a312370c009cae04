import Platform
import Synchronization

/// Counts the requests on their way and remembers which hosts do not answer.
final class HostGate: Sendable {
  /// Hosts are kept apart by partition, so that one tenant can neither slow another down nor learn what it asks.
  struct Key: Hashable, Sendable {
    let partition: String
    let host: String
    let port: Int
  }

  private struct Host {
    var onTheirWay = 0
    var breaker: CircuitBreaker
  }

  /// The requests on their way, in all and by partition.
  private struct Traffic {
    private var count = 0
    private var counts: [String: Int] = [:]

    mutating func enter(_ partition: String, _ settings: OutgoingSettings) -> Bool {
      let own = counts[partition] ?? 0
      guard count < settings.concurrency, own < settings.concurrencyPerOrganization else {
        return false
      }
      count += 1
      counts[partition] = own + 1
      return true
    }

    mutating func leave(_ partition: String) {
      count -= 1
      let own = (counts[partition] ?? 0) - 1
      counts[partition] = own > 0 ? own : nil
    }
  }

  private static let hostsMax = 10_000

  private let settings: OutgoingSettings
  private let clock: WallClock
  private let traffic = Mutex(Traffic())
  private let hosts = BoundedCache<Key, Host>(capacity: hostsMax, lifetimeSeconds: .infinity)

  init(settings: OutgoingSettings, clock: WallClock) {
    self.settings = settings
    self.clock = clock
  }

  func pass<Answer: Sendable>(
    _ key: Key, _ body: @Sendable () async throws -> Answer
  ) async throws -> Answer {
    try enter(key)
    do {
      let answer = try await body()
      leave(key, .healthy)
      return answer
    } catch {
      leave(key, Self.outcome(of: error))
      throw error
    }
  }

  private func enter(_ key: Key) throws(OutgoingError) {
    guard traffic.withLock({ $0.enter(key.partition, settings) }) else { throw .busy }
    let now = clock.now()
    let refusal: OutgoingError? = hosts.update(key, now: now) { [settings] value in
      var host = value ?? Host(breaker: settings.breaker)
      defer { value = host }
      guard host.onTheirWay < settings.concurrencyPerHost else { return .busy }
      guard host.breaker.admits(now: now) else { return .circuitOpen }
      host.onTheirWay += 1
      return nil
    }
    guard let refusal else { return }
    traffic.withLock { $0.leave(key.partition) }
    throw refusal
  }

  private func leave(_ key: Key, _ outcome: CircuitBreaker.Outcome) {
    traffic.withLock { $0.leave(key.partition) }
    let now = clock.now()
    hosts.update(key, now: now) { host in
      // Nil where so many other hosts were asked meanwhile that this one is forgotten.
      host?.onTheirWay -= 1
      host?.breaker.record(outcome, now: now)
    }
  }

  private static func outcome(of error: any Error) -> CircuitBreaker.Outcome {
    switch error as? OutgoingError {
    case .unreachable, .timedOut, .unresolvable: .failed
    case .tooLarge: .healthy
    case .refusedURL, .refusedAddress, .busy, .circuitOpen, nil: .undecided
    }
  }
}
