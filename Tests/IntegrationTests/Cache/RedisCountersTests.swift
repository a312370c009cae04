import Foundation
import Logging
import Platform
import Testing

@testable import Cache

@Suite("Counters in Redis")
struct RedisCountersTests {
  /// A cache connected to the test server, for the length of `body`.
  static func connected(
    _ body: @Sendable (Cache) async throws -> Void
  ) async throws {
    let url = try #require(
      ProcessInfo.processInfo.environment["TENURE_TEST_REDIS_URL"],
      "TENURE_TEST_REDIS_URL must name a Redis that tests may write to.")
    var read = SettingsReader(
      environment: ["TENURE_REDIS_URL": url, "TENURE_REDIS_TIMEOUT_MILLISECONDS": "5000"]
    ) { _ in nil }
    let cache = Cache(
      settings: CacheSettings(&read), limitName: { "\($0)" }, clock: .system,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await cache.run() }
      for _ in 0..<500 where !cache.isShared { try await Task.sleep(for: .milliseconds(10)) }
      try #require(cache.isShared, "no connection to \(url)")
      try await body(cache)
      group.cancelAll()
    }
  }

  static func key() -> String { RandomSource.system.token(byteCount: 16) }

  @Test("two processes count together; reset forgets")
  func counts() async throws {
    let key = Self.key()
    try await Self.connected { first in
      try await Self.connected { second in
        #expect(await first.counters.value(key) == 0)
        #expect(await first.counters.increment(key, windowSeconds: 60) == 1)
        #expect(await second.counters.increment(key, windowSeconds: 60) == 2)
        #expect(await first.counters.value(key) == 2)
        await second.counters.reset(key)
        #expect(await first.counters.value(key) == 0)
      }
    }
  }

  @Test("no event is lost between tasks, on one pipelined connection")
  func concurrent() async throws {
    let key = Self.key()
    try await Self.connected { cache in
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<20 {
          group.addTask {
            for _ in 0..<100 { _ = await cache.counters.increment(key, windowSeconds: 60) }
          }
        }
      }
      #expect(await cache.counters.value(key) == 2000)
      await cache.counters.reset(key)
    }
  }

  @Test("the window ends with its first event's, and a counter without an end gets one")
  func expires() async throws {
    let key = Self.key()
    try await Self.connected { cache in
      let client = try #require(cache.client)
      #expect(await cache.counters.increment(key, windowSeconds: 60) == 1)
      _ = try await client.send("PEXPIRE", "tenure:counter:" + key, "30000")
      #expect(await cache.counters.increment(key, windowSeconds: 60) == 2)
      guard case .integer(let left) = try await client.send("PTTL", "tenure:counter:" + key) else {
        Issue.record("no time to live")
        return
      }
      #expect((1...30_000).contains(left))
      _ = try await client.send("PERSIST", "tenure:counter:" + key)
      #expect(await cache.counters.increment(key, windowSeconds: 60) == 3)
      guard case .integer(let renewed) = try await client.send("PTTL", "tenure:counter:" + key)
      else {
        Issue.record("no time to live")
        return
      }
      #expect(renewed > 30_000)
      await cache.counters.reset(key)
    }
  }

  @Test("the script's digest is what Redis makes of its text")
  func digest() async throws {
    try await Self.connected { cache in
      let client = try #require(cache.client)
      let script = RedisCounters.incrementScript
      #expect(
        try await client.send("SCRIPT", "LOAD", script.text) == .string(Array(script.sha1.utf8)))
    }
  }

  @Test("a killed connection comes back")
  func reconnects() async throws {
    let key = Self.key()
    try await Self.connected { cache in
      let client = try #require(cache.client)
      #expect(await cache.counters.increment(key, windowSeconds: 3600) == 1)
      // Redis closes it once the reply is out.
      _ = try? await client.send("QUIT")
      for _ in 0..<3000 where await cache.counters.value(key) != 1 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(await cache.counters.increment(key, windowSeconds: 3600) == 2)
      await cache.counters.reset(key)
    }
  }
}
