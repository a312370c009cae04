import Logging
import NIOCore
import NIOPosix
import Platform
import ServiceLifecycle
import Synchronization
import Testing

@testable import Cache

@Suite("When Redis is away, slow or strange")
struct OutageTests {
  static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// A client that runs against a peer for the length of `body`.
  static func client(
    of address: String, timeoutMilliseconds: Int = 100,
    _ body: @Sendable (RedisClient) async throws -> Void
  ) async throws {
    let client = RedisClient(
      address: try RedisAddress(Secret(address)),
      eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
      timeoutMilliseconds: timeoutMilliseconds,
      logger: quiet)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await client.run() }
      try await body(client)
      group.cancelAll()
    }
  }

  static func connected(_ client: RedisClient) async throws {
    // The connection is made by another task; there is nothing of its to wait for but the fact.
    for _ in 0..<200 where !client.isConnected { try await Task.sleep(for: .milliseconds(10)) }
    try #require(client.isConnected)
  }

  static func counters(_ client: RedisClient) -> FallbackCounters {
    FallbackCounters(
      shared: RedisCounters(client: client), local: MemoryCounters(capacity: 100, clock: .system))
  }

  @Test("nobody listens: counting goes on in memory at once")
  func unreachable() async throws {
    try await Self.client(of: "redis://127.0.0.1:1") { client in
      let counters = Self.counters(client)
      #expect(await counters.increment("a", windowSeconds: 60) == 1)
      #expect(await counters.increment("a", windowSeconds: 60) == 2)
      #expect(await counters.value("a") == 2)
      await counters.reset("a")
      #expect(await counters.value("a") == 0)
      await #expect(throws: RedisError.disconnected) { try await client.send("PING") }
    }
  }

  @Test("the greeting: AUTH, SELECT and a name, in this order")
  func greets() async throws {
    let peer = try await Peer { _ in "+OK\r\n" }
    try await Self.client(of: "redis://ten:p%20w@127.0.0.1:\(peer.port)/3") { client in
      try await Self.connected(client)
    }
    #expect(
      peer.received == [
        "*3\r\n$4\r\nAUTH\r\n$3\r\nten\r\n$3\r\np w\r\n",
        "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n",
        "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$6\r\ntenure\r\n",
      ])
    try await peer.close()
  }

  @Test("a refused password means no connection")
  func refused() async throws {
    let peer = try await Peer { $0.contains("AUTH") ? "-WRONGPASS no\r\n" : "+OK\r\n" }
    try await Self.client(of: "redis://:x@127.0.0.1:\(peer.port)") { client in
      _ = try await peer.connections.wait()
      _ = try await peer.connections.wait()  // it tries again
      #expect(!client.isConnected)
    }
    try await peer.close()
  }

  @Test("a late reply closes the connection and everything behind it is answered from memory")
  func late() async throws {
    let peer = try await Peer { $0.contains("SETNAME") ? "+OK\r\n" : nil }
    try await Self.client(of: "redis://127.0.0.1:\(peer.port)") { client in
      try await Self.connected(client)
      _ = try await peer.connections.wait()
      let counters = Self.counters(client)
      let start = ContinuousClock.now
      let counts = await withTaskGroup(of: Int.self) { group in
        for _ in 0..<20 { group.addTask { await counters.increment("a", windowSeconds: 60) } }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(Set(counts) == Set(1...20))
      // All wait for the same deadline, none for its neighbour's.
      #expect(ContinuousClock.now - start < .seconds(2))
      _ = try await peer.connections.wait()  // it comes back
    }
    try await peer.close()
  }

  @Test(
    "a peer that is not Redis, or answers unasked, is dropped",
    arguments: ["HTTP/1.1 400\r\n", "+OK\r\n+OK\r\n"])
  func strange(_ answer: String) async throws {
    let peer = try await Peer { $0.contains("SETNAME") ? "+OK\r\n" : answer }
    try await Self.client(of: "redis://127.0.0.1:\(peer.port)") { client in
      try await Self.connected(client)
      _ = try await peer.connections.wait()
      _ = try? await client.send("PING")
      _ = try await peer.connections.wait()
    }
    try await peer.close()
  }

  @Test("NOSCRIPT: the script is sent as text, with the same keys and arguments")
  func scriptForgotten() async throws {
    let peer = try await Peer { command in
      if command.contains("EVALSHA") { return "-NOSCRIPT No matching script.\r\n" }
      return command.contains("EVAL") ? ":7\r\n" : "+OK\r\n"
    }
    try await Self.client(of: "redis://127.0.0.1:\(peer.port)") { client in
      try await Self.connected(client)
      #expect(await Self.counters(client).increment("a", windowSeconds: 60) == 7)
    }
    #expect(
      peer.received.last?.hasSuffix("$1\r\n1\r\n$16\r\ntenure:counter:a\r\n$5\r\n60000\r\n") == true
    )
    try await peer.close()
  }

  @Test(
    "answers that make no sense are not believed",
    arguments: ["+OK\r\n", "$3\r\nabc\r\n", "-OOM no\r\n", "*0\r\n"])
  func nonsense(_ answer: String) async throws {
    let peer = try await Peer { $0.contains("SETNAME") ? "+OK\r\n" : answer }
    try await Self.client(of: "redis://127.0.0.1:\(peer.port)") { client in
      try await Self.connected(client)
      let counters = Self.counters(client)
      #expect(await counters.increment("a", windowSeconds: 60) == 1)
      #expect(await counters.value("a") == 1)
      #expect(client.isConnected)
    }
    try await peer.close()
  }

  @Test(
    "the service ends with a graceful shutdown, with and without Redis",
    arguments: [nil, "redis://127.0.0.1:1"])
  func shutsDown(_ address: String?) async throws {
    var read = SettingsReader(environment: address.map { ["TENURE_REDIS_URL": $0] } ?? [:]) { _ in
      nil
    }
    let cache = Cache(
      settings: CacheSettings(&read), limitName: { _ in "" }, clock: .system, logger: Self.quiet)
    let group = ServiceGroup(
      configuration: .init(services: [.init(service: cache)], logger: Self.quiet))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      #expect(await cache.counters.increment("a", windowSeconds: 60) == 1)
      #expect(!cache.isShared)
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }
}
