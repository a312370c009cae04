import FoundationEssentials
package import Platform

/// Remembers what may be used once, for as long as it could be used again (RFC 7523 section 3, `jti`).
///
/// Keys are opaque: callers hash what they remember, with a key.
package protocol ReplayGuard: Sendable {
  /// True for the first use of a key; false for every later one within `seconds` of it.
  func isFirstUse(_ key: String, seconds: Int) async -> Bool
}

/// What this process has seen.
///
/// Bounded: under a flood the least recently used keys are forgotten.
package struct MemoryReplayGuard: ReplayGuard {
  private let ends: BoundedCache<String, Date>
  private let clock: WallClock

  package init(capacity: Int, clock: WallClock) {
    ends = BoundedCache(capacity: capacity, lifetimeSeconds: .infinity)
    self.clock = clock
  }

  package func isFirstUse(_ key: String, seconds: Int) -> Bool {
    let now = clock.now()
    return ends.update(key, now: now) { end in
      if let end, now < end { return false }
      end = now.addingTimeInterval(Double(seconds))
      return true
    }
  }
}

/// What any process has seen, in Redis; throws when it is away.
struct RedisReplayGuard: Sendable {
  let client: RedisClient

  /// Of two processes that set the same key, Redis answers OK to one.
  func isFirstUse(_ key: String, seconds: Int) async throws -> Bool {
    switch try await client.send(
      "SET", "tenure:replay:" + key, "1", "NX", "PX", String(seconds * 1000))
    {
    case .status("OK"): return true
    case .null: return false
    default: throw RedisError.unexpectedReply
    }
  }
}

/// Both: this process remembers all it has seen itself, so that an outage of Redis opens nothing here.
///
/// While Redis is away, a key that another process has seen counts as new: each process is then on its own.
struct FallbackReplayGuard: ReplayGuard {
  let shared: RedisReplayGuard
  let local: MemoryReplayGuard

  func isFirstUse(_ key: String, seconds: Int) async -> Bool {
    guard local.isFirstUse(key, seconds: seconds) else { return false }
    return (try? await shared.isFirstUse(key, seconds: seconds)) ?? true
  }
}
