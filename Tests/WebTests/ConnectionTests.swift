import HTTPTypes
import Hummingbird
import NIOCore
import NIOEmbedded
import NIOExtras
import NIOHTTPTypes
import NIOPosix
import Platform
import ServiceLifecycle
import Synchronization
import Testing

@testable import Web

/// What no proper client sends, answered by the connection itself.
@Suite("RFC 9112: connections")
struct ConnectionTests {
  static let groups = [
    EndpointGroup([
      Route(.get, "ok") { _, _ in "fine" },
      Route(.get, "address") { _, context in context.clientAddress?.description ?? "none" },
      Route(.post, "oauth2/echo") { request, _ in
        String(decoding: try await request.bytes(limit: 100), as: UTF8.self)
      },
    ])
  ]

  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let request: String
    let status: String

    init(_ name: String, _ request: String, _ status: String) {
      testDescription = name
      self.request = request
      self.status = status
    }
  }

  static let long = String(repeating: "x", count: 9000)

  @Test(
    "whatever comes, the answer is a document with every security header",
    arguments: [
      Row("not HTTP", "hello\r\n\r\n", "400"),
      Row("no version", "GET /\r\n\r\n", "400"),
      Row("a bad header", "GET /ok HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n", "400"),
      Row(
        "a bad length", "POST /ok HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", "400"),
      Row(
        "two lengths (request smuggling)",
        "POST /ok HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "400"),
      Row("HTTP/2 in clear text", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
      Row("TLS on a plain port", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n", "400"),
      Row("a long header", "GET /ok HTTP/1.1\r\nHost: localhost\r\nX: \(long)\r\n\r\n", "431"),
      Row(
        "many headers",
        "GET /ok HTTP/1.1\r\nHost: localhost\r\n" + String(repeating: "X: y\r\n", count: 200)
          + "\r\n",
        "431"),
      Row("a long address", "GET /\(long) HTTP/1.1\r\nHost: localhost\r\n\r\n", "414"),
      Row(
        "an address that does not end", "GET /" + String(repeating: long, count: 20), "414"),
      Row("no host", "GET /ok HTTP/1.1\r\n\r\n", "400"),
      Row("two hosts", "GET /ok HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", "400"),
      Row("a foreign host", "GET /ok HTTP/1.1\r\nHost: evil.example\r\n\r\n", "421"),
      Row("a host that is none", "GET /ok HTTP/1.1\r\nHost: a b\r\n\r\n", "400"),
      Row(
        "forwarded hosts do not count",
        "GET /ok HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\n\r\n",
        "421"),
      Row(
        "a body that does not come",
        "POST /oauth2/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n", "408"),
      Row("a head that does not come", "GET /ok HTTP/1.1\r\nHost:", "408"),
    ])
  func refusals(_ row: Row) async throws {
    try await TestServer.run(
      Self.groups,
      settings: { settings in
        settings.headerBytesMax = 8192
        settings.headSecondsMax = 1
        settings.bodySecondsMax = 1
        settings.idleSecondsMax = 1
      }
    ) { server in
      let reply = try await RawConnection.exchange(port: server.port, row.request)
      #expect(reply.hasPrefix("HTTP/1.1 \(row.status) "), "\(reply.prefix(400))")
      let (head, body) = Self.split(reply)
      for field in [
        "content-security-policy: default-src 'none'", "x-content-type-options: nosniff",
        "x-frame-options: deny", "cache-control: no-store", "referrer-policy: same-origin",
        "content-type: application/",
      ] {
        #expect(head.contains(field), "\(head)")
      }
      #expect(body.hasPrefix("{") && body.hasSuffix("}"), "\(body)")
      #expect(!body.contains("evil") && !body.contains("xxx"))
    }
  }

  static func split(_ reply: String) -> (head: String, body: String) {
    guard let end = reply.firstRange(of: "\r\n\r\n") else { return (reply, "") }
    return (reply[..<end.lowerBound].lowercased(), String(reply[end.upperBound...]))
  }

  @Test("an endpoint that takes too long is cancelled, and its client is told")
  func slowAnswer() async throws {
    let cancelled = TestSignal<Bool>.armed()
    let slow = EndpointGroup([
      Route(.get, "slow") { _, _ in
        do {
          try await Task.sleep(for: .seconds(600))
        } catch {
          cancelled.signal(true)
          throw error
        }
        return "late"
      }
    ])
    try await TestServer.run([slow], settings: { $0.answerSecondsMax = 1 }) { server in
      let reply = try await server.send("GET", "/slow")
      #expect(reply.status == 503)
      #expect(reply.header("Retry-After") == "5")
      #expect(reply.header("Content-Security-Policy") != nil)
      #expect(try await cancelled.wait())
    }
  }

  @Test(
    "one client address has so many connections and no more; trusted proxies have all they need")
  func perAddress() async throws {
    let request = "GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for isProxy in [false, true] {
      let proxy = try #require(AddressBlock("127.0.0.0/8"))
      try await TestServer.run(
        Self.groups,
        settings: { settings in
          settings.connectionsPerAddressMax = .at(2)
          settings.idleSecondsMax = 2
          if isProxy { settings.proxies = TrustedProxies([proxy], header: .xForwardedFor) }
        }
      ) { server in
        let replies = try await withThrowingTaskGroup(of: String.self) { group in
          for _ in 0..<4 {
            group.addTask {
              (try? await RawConnection.exchange(port: server.port, request)) ?? ""
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(replies.filter { $0.hasPrefix("HTTP/1.1 200 ") }.count == (isProxy ? 4 : 2))
      }
    }
  }

  @Test("so many connections are served in all; one more waits until another has ended")
  func inAll() async throws {
    let served = TestSignal<String>.armed()
    let release = TestSignal<Void>.armed()
    let waiting = EndpointGroup([
      Route(.get, "held") { _, _ in
        served.signal("held")
        try await release.wait()
        return "fine"
      },
      Route(.get, "next") { _, _ in
        served.signal("next")
        return "fine"
      },
    ])
    try await TestServer.run([waiting], settings: { $0.connectionsMax = 3 }) { server in
      try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<3 { group.addTask { try await Self.exchange("/held", with: server) } }
        for _ in 0..<3 { #expect(try await served.wait() == "held") }
        group.addTask { try await Self.exchange("/next", with: server) }
        await #expect(throws: TestSignalError.timedOut) {
          _ = try await served.wait(timeoutSeconds: 1)
        }
        release.signal()
        #expect(try await served.wait() == "next")
        for _ in 0..<2 { release.signal() }
        for try await reply in group { #expect(reply.hasPrefix("HTTP/1.1 200 "), "\(reply)") }
      }
    }
  }

  private static func exchange(_ path: String, with server: TestServer) async throws -> String {
    try await RawConnection.exchange(
      port: server.port, "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
  }

  @Test("the client's address is the peer's, or what a trusted proxy says")
  func address() async throws {
    let lie = ("X-Forwarded-For", "198.51.100.7")
    try await TestServer.run(Self.groups) { server in
      let reply = try await server.send("GET", "/address", [lie])
      #expect(reply.body == "127.0.0.1")
    }
    let proxy = try #require(AddressBlock("127.0.0.1"))
    try await TestServer.run(
      Self.groups,
      settings: {
        $0.proxies = TrustedProxies([proxy], header: .xForwardedFor)
      }
    ) { server in
      let reply = try await server.send("GET", "/address", [lie])
      #expect(reply.body == "198.51.100.7")
    }
  }

  @Test("when requests stand in line too long, new ones get 503 before any work")
  func sheds() async throws {
    let served = Atomic<Int>(0)
    let counting = EndpointGroup([
      Route(.get, "work") { _, _ in
        served.add(1, ordering: .relaxed)
        return "done"
      }
    ])
    let backlog = Mutex(Duration.seconds(9))
    try await TestServer.run([counting], backlog: { backlog.withLock { $0 } }) { server in
      // The first late request opens the tenth of a second in which a hiccup is forgiven.
      var reply = try await server.send("GET", "/work")
      let deadline = ContinuousClock.now + .seconds(20)
      while reply.status == 200, ContinuousClock.now < deadline {
        reply = try await server.send("GET", "/work")
      }
      #expect(reply.status == 503)
      #expect(reply.header("Retry-After") == "5")
      let before = served.load(ordering: .relaxed)
      #expect(try await server.send("GET", "/work").status == 503)
      #expect(served.load(ordering: .relaxed) == before)
      backlog.withLock { $0 = .zero }
      #expect(try await server.send("GET", "/work").status == 200)
    }
  }

  @Test("RFC 9110 section 9.3.2: no answer to HEAD has a body, so that the next is not mistaken")
  func head() async throws {
    try await TestServer.run(Self.groups, settings: { $0.idleSecondsMax = 1 }) { server in
      for path in ["/ok", "/nothing", "/oauth2/echo"] {
        let request = "HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let reply = try await RawConnection.exchange(port: server.port, request)
        #expect(
          reply.hasSuffix("\r\n\r\n") && reply.split(separator: "\r\n\r\n").count == 1, "\(reply)")
        #expect(reply.contains("ontent-"))
      }
    }
  }

  @Test("two requests at once are answered in their order")
  func pipelined() async throws {
    try await TestServer.run(Self.groups, settings: { $0.idleSecondsMax = 1 }) { server in
      let one = "GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let two = "GET /address HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let reply = try await RawConnection.exchange(port: server.port, one + two)
      let first = try #require(reply.firstRange(of: "fine"))
      let second = try #require(reply.firstRange(of: "127.0.0.1"))
      #expect(first.upperBound < second.lowerBound)
    }
  }

  @Test("an idle connection that is to end answers a request that was on its way")
  func requestOnItsWay() throws {
    let connection = try EmbeddedConnection()
    let channel = connection.channel
    channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    channel.embeddedEventLoop.advanceTime(by: .milliseconds(400))
    connection.receive(.head(HTTPRequest(method: .post, scheme: "http", authority: "a", path: "/")))
    connection.receive(.end(nil))
    channel.embeddedEventLoop.advanceTime(by: .milliseconds(400))
    try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
    try channel.writeOutbound(HTTPResponsePart.end(nil))
    guard case .head(let head) = try channel.readOutbound(as: HTTPResponsePart.self) else {
      Issue.record("No answer")
      return
    }
    #expect(head.headerFields[.connection] == "close")
    #expect(!channel.isActive)
  }

  @Test("an idle connection that is to end does so after half a second")
  func nothingOnItsWay() throws {
    let channel = try EmbeddedConnection().channel
    channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    channel.embeddedEventLoop.advanceTime(by: .milliseconds(499))
    #expect(channel.isActive)
    channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
    #expect(!channel.isActive)
  }

  @Test("a connection that is to end does so when the rest of an answered request is here")
  func answeredEarly() throws {
    let connection = try EmbeddedConnection()
    let channel = connection.channel
    connection.receive(.head(HTTPRequest(method: .post, scheme: "http", authority: "a", path: "/")))
    try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .unauthorized)))
    try channel.writeOutbound(HTTPResponsePart.end(nil))
    channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    channel.embeddedEventLoop.advanceTime(by: .milliseconds(600))
    #expect(channel.isActive)
    connection.receive(.end(nil))
    #expect(!channel.isActive)
  }

  @Test("a server that stops knows how many connections wait to be accepted")
  func acceptQueue() async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let listener = try await ServerBootstrap(group: group)
      .serverChannelOption(.autoRead, value: false).bind(host: "127.0.0.1", port: 0).get()
    let address = try #require(listener.localAddress)
    let first = try await ClientBootstrap(group: group).connect(to: address).get()
    #expect(try await SynFilter.waiting(on: listener) == 1)
    let second = try await ClientBootstrap(group: group).connect(to: address).get()
    #expect(try await SynFilter.waiting(on: listener) == 2)
    try await first.close()
    try await second.close()
    try await listener.close()
  }
}
