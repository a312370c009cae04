import Testing

@testable import Cache

@Suite("What may be used once, in Redis")
struct RedisReplayGuardTests {
  @Test("What one process has seen is refused by the other")
  func shared() async throws {
    let key = RedisCountersTests.key()
    try await RedisCountersTests.connected { first in
      try await RedisCountersTests.connected { second in
        #expect(await first.replays.isFirstUse(key, seconds: 60))
        #expect(await !second.replays.isFirstUse(key, seconds: 60))
        #expect(await !first.replays.isFirstUse(key, seconds: 60))
      }
    }
  }

  @Test("Of many at the same time in two processes one is first")
  func race() async throws {
    let key = RedisCountersTests.key()
    try await RedisCountersTests.connected { first in
      try await RedisCountersTests.connected { second in
        let firsts = await withTaskGroup(of: Bool.self) { group in
          for index in 0..<50 {
            let cache = index.isMultiple(of: 2) ? first : second
            group.addTask { await cache.replays.isFirstUse(key, seconds: 60) }
          }
          return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(firsts == 1)
      }
    }
  }
}
