/// Shared counters, or this process's own while the shared ones are away.
///
/// The two are never added up: after an outage counting goes on from what Redis remembers. A reset reaches both, so that a count made
/// during an outage does not come back with the next one.
struct FallbackCounters: Counters {
  let shared: RedisCounters
  let local: MemoryCounters

  func increment(_ key: String, windowSeconds: Int) async -> Int {
    do {
      return try await shared.increment(key, windowSeconds: windowSeconds)
    } catch {
      return local.increment(key, windowSeconds: windowSeconds)
    }
  }

  func value(_ key: String) async -> Int {
    do {
      return try await shared.value(key)
    } catch {
      return local.value(key)
    }
  }

  func reset(_ key: String) async {
    local.reset(key)
    // The window ends by itself if this is lost.
    try? await shared.reset(key)
  }
}
