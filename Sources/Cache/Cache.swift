package import Logging
import NIOPosix
package import Platform
import ServiceLifecycle

/// The assembly: counters, limits and replay marks in Redis with memory behind them, and the service that
/// keeps the connection.
///
/// Run it before, and so end it after, the servers that count.
package struct Cache: Service {
  package let counters: any Counters
  package let limiter: RateLimiter
  package let replays: any ReplayGuard
  let client: RedisClient?

  /// - Parameters:
  ///   - settings: Where Redis is, and the bounds of memory.
  ///   - limitName: What a limit is called in Redis, which must not learn whom it counts.
  ///   - clock: For what is kept in memory.
  ///   - logger: Hears when Redis goes and comes back.
  package init(
    settings: CacheSettings, limitName: @escaping @Sendable (LimitCharge.Key) -> String,
    clock: WallClock, logger: Logger
  ) {
    let memory = MemoryCounters(capacity: settings.memoryEntriesMax, clock: clock)
    let seen = MemoryReplayGuard(capacity: settings.memoryEntriesMax, clock: clock)
    guard let address = settings.redis else {
      client = nil
      counters = memory
      limiter = RateLimiter(shared: nil, capacity: settings.memoryEntriesMax, clock: clock)
      replays = seen
      return
    }
    let client = RedisClient(
      // Event loops belong to the process, as the threads of tasks do.
      address: address, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
      timeoutMilliseconds: settings.timeoutMilliseconds, logger: logger)
    self.client = client
    counters = FallbackCounters(
      shared: RedisCounters(client: client), local: memory)
    limiter = RateLimiter(
      shared: RedisLimits(client: client, name: limitName), capacity: settings.memoryEntriesMax,
      clock: clock)
    replays = FallbackReplayGuard(shared: RedisReplayGuard(client: client), local: seen)
  }

  package func run() async throws {
    guard let client else {
      try await gracefulShutdown()
      return
    }
    try await client.run()
  }

  /// Whether Redis is to be used at all.
  package var isConfigured: Bool { client != nil }

  package var metrics: [MetricFamily] {
    guard let client else { return limiter.metrics }
    return limiter.metrics + [
      .gauge("tenure_redis_connected", "1 while Redis is connected.") {
        client.isConnected ? 1 : 0
      },
      .counter(
        "tenure_redis_fallbacks_total",
        "Commands that Redis did not answer in time, so that this process's memory did.",
        client.failures),
    ]
  }

  /// Whether the state is shared with other processes right now; for readiness and metrics.
  package var isShared: Bool { client?.isConnected ?? false }
}

/// Where short-lived state is kept.
package struct CacheSettings: Sendable {
  package let redis: RedisAddress?
  package let timeoutMilliseconds: Int
  package let memoryEntriesMax: Int

  package init(_ read: inout SettingsReader) {
    let url = read.optionalSecret(
      "REDIS_URL",
      "Redis for counters and replay marks shared by all processes: `redis://[user:password@]host[:port][/db]` or `redis+unix:///path[?db=n]`; without it each process counts and remembers for itself."
    )
    var address: RedisAddress?
    if let url {
      do throws(SettingRefusal) {
        address = try RedisAddress(url)
      } catch {
        read.problem("REDIS_URL", "must be \(error.expected)")
      }
    }
    redis = address
    timeoutMilliseconds = read.value(
      "REDIS_TIMEOUT_MILLISECONDS", default: 250, in: 10...10_000,
      "How long to wait for Redis before answering from memory.")
    memoryEntriesMax = read.value(
      "CACHE_MEMORY_ENTRIES_MAX", default: 100_000, in: 1000...10_000_000,
      "Counters, limits, and marks of what may be used once, kept in memory; the least recently used give way."
    )
  }
}
