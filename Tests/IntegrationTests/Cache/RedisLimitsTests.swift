import Foundation
import Logging
import NIOPosix
import Platform
import Testing

@testable import Cache

@Suite("Rate limits in Redis")
struct RedisLimitsTests {
  static func charge(_ policy: LimitPolicy, _ name: String, _ rate: Rate?, _ tenant: UUID) throws
    -> LimitCharge
  {
    LimitCharge(policy, try #require(rate), tenant: tenant, .name(name))
  }

  @Test("two processes share a limit, to the last permit")
  func shared() async throws {
    let charge = try Self.charge(.client, "a", Rate(1, per: .minute, burst: 100), UUID())
    try await RedisCountersTests.connected { first in
      try await RedisCountersTests.connected { second in
        let admitted = await withTaskGroup(of: Bool.self) { group in
          for index in 0..<400 {
            let limiter = index % 2 == 0 ? first.limiter : second.limiter
            group.addTask { await limiter.take([charge]).refusal == nil }
          }
          return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(admitted == 100)
        let verdict = await second.limiter.take([charge])
        #expect((50...61).contains(verdict.refusal?.resetSeconds ?? 0))
      }
    }
  }

  @Test("with leases never more than the limit passes, and nearly all of it")
  func leases() async throws {
    let charge = try Self.charge(.client, "a", Rate(1, per: .second, burst: 2000), UUID())
    let wide = try Self.charge(.tenant, "", Rate(100_000, per: .second, burst: 100_000), UUID())
    try await RedisCountersTests.connected { first in
      try await RedisCountersTests.connected { second in
        let start = ContinuousClock.now
        let admitted = await withTaskGroup(of: Int.self) { group in
          for limiter in [first.limiter, second.limiter] {
            group.addTask {
              var admitted = 0
              for _ in 0..<3000 where await limiter.take([charge, wide]).refusal == nil {
                admitted += 1
              }
              return admitted
            }
          }
          return await group.reduce(0, +)
        }
        let refilled = Int((ContinuousClock.now - start).components.seconds) + 1
        #expect((1900...(2000 + refilled)).contains(admitted))
      }
    }
  }

  @Test("several limits are decided in one step: all or none")
  func atomic() async throws {
    let tenant = UUID()
    let wide = try Self.charge(.tenant, "", Rate(1, per: .minute, burst: 100), tenant)
    let narrow = try Self.charge(.client, "a", Rate(1, per: .minute, burst: 10), tenant)
    try await RedisCountersTests.connected { cache in
      for _ in 0..<10 { #expect(await cache.limiter.take([wide, narrow]).refusal == nil) }
      for _ in 0..<30 {
        #expect(await cache.limiter.take([wide, narrow]).refusal?.policy == .client)
      }
      let limits = try RedisLimits(client: #require(cache.client)) { "\($0)" }
      let left = try await limits.lease([LeaseRequest(charge: wide, wanted: 0)])
      #expect(left.first?.remaining == 90)
    }
  }

  @Test("a limit that is full again leaves nothing behind")
  func expires() async throws {
    let charge = try Self.charge(.client, "a", Rate(1, per: .minute, burst: 10), UUID())
    try await RedisCountersTests.connected { cache in
      let client = try #require(cache.client)
      #expect(await cache.limiter.take([charge]).refusal == nil)
      guard case .integer(let left) = try await client.send("PTTL", "tenure:limit:\(charge.key)")
      else {
        Issue.record("no time to live")
        return
      }
      #expect((1...60_000).contains(left))
    }
  }

  @Test("the script's digest is what Redis makes of its text")
  func digest() async throws {
    try await RedisCountersTests.connected { cache in
      let client = try #require(cache.client)
      let script = RedisLimits.script
      #expect(
        try await client.send("SCRIPT", "LOAD", script.text) == .string(Array(script.sha1.utf8)))
    }
  }

  @Test("while Redis is away each process limits for itself")
  func away() async throws {
    let client = RedisClient(
      address: try RedisAddress(Secret("redis://127.0.0.1:1")),
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton, timeoutMilliseconds: 100,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let limiter = RateLimiter(
      shared: RedisLimits(client: client) { "\($0)" }, capacity: 100, clock: .system)
    let charge = try Self.charge(.client, "a", Rate(1, per: .minute, burst: 10), UUID())
    var admitted = 0
    for _ in 0..<30 where await limiter.take([charge]).refusal == nil { admitted += 1 }
    #expect(admitted == 10)
  }
}
