import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import NIOExtras
import NIOHTTPTypes
import Platform
import Synchronization
import Testing

@testable import Web

/// The shared cache in front of the endpoints (RFC 9111).
@Suite("public answers are given again")
struct PublishedAnswersTests {
  /// An endpoint that says how often it was asked.
  final class Asked: Sendable {
    private let count = Mutex(0)

    var next: Int {
      count.withLock {
        $0 += 1
        return $0
      }
    }

    func group(_ headers: HTTPFields) -> EndpointGroup {
      EndpointGroup([
        Route(.get, "document") { [self] _, context in
          context.note(tenant: "acme")
          return JSONResponse(.ok, ["asked": .integer(Int64(next))], headers: headers)
        }
      ])
    }
  }

  static let publicHeaders: HTTPFields = [.cacheControl: "public, max-age=60", .eTag: "\"a\""]

  /// The endpoint had been asked so often when it made the answer.
  static func expect(
    _ count: Int, _ server: TestServer, _ path: String = "/document", host: String = "127.0.0.1",
    at location: SourceLocation = #_sourceLocation
  ) async throws {
    let reply = try await server.send("GET", path, [("Host", host)])
    #expect(asked(reply) == count, sourceLocation: location)
  }

  static func asked(_ reply: Reply) -> Int? { reply.json?["asked"]?.integerValue }

  @Test("with an id of its own, a line in the log, and every header")
  func again() async throws {
    try await TestServer.run([Asked().group(Self.publicHeaders)]) { server in
      let first = try await server.send("GET", "/document")
      let second = try await server.send("GET", "/document")
      let third = try await server.send("GET", "/document", [("X-Request-ID", "mine-12345")])
      #expect([first, second, third].map(Self.asked) == [1, 1, 1])
      #expect(first.header("x-request-id") != second.header("x-request-id"))
      #expect(third.header("x-request-id") == "mine-12345")
      var (one, two) = (first.headers, second.headers)
      one["x-request-id"] = nil
      two["x-request-id"] = nil
      #expect(one == two)
      let lines = server.lines.named("request")
      #expect(lines.count == 3)
      for (line, reply) in zip(lines, [first, second, third]) {
        #expect(line.metadata["route"] == "/document")
        #expect(line.metadata["tenant"] == "acme")
        #expect(line.metadata["status"] == "200")
        #expect(line.metadata["request_id"] == reply.header("x-request-id").map { .string($0) })
      }
    }
  }

  @Test(
    "a request that wants more than the document goes to the endpoint",
    arguments: [
      ("HEAD", [("Accept", "*/*")]), ("GET", [("If-None-Match", "\"b\"")]),
      ("GET", [("Origin", "https://spa.example")]), ("GET", [("Range", "bytes=0-1")]),
      ("GET", [("Cache-Control", "no-cache")]), ("GET", [("Connection", "close")]),
      ("GET", [("If-Modified-Since", "Sat, 21 Nov 2026 08:00:00 GMT")]),
    ])
  func particular(_ method: String, _ headers: [(String, String)]) async throws {
    let asked = Asked()
    try await TestServer.run([asked.group(Self.publicHeaders)]) { server in
      for _ in 0..<2 { _ = try await server.send("GET", "/document") }
      _ = try await server.send(method, "/document", headers)
      #expect(asked.next == 3)
    }
  }

  @Test("another query or another name of the host is another document")
  func addresses() async throws {
    try await TestServer.run([Asked().group(Self.publicHeaders)]) { server in
      try await Self.expect(1, server)
      try await Self.expect(2, server, "/document?a=b")
      try await Self.expect(3, server, host: "localhost")
      let foreign = try await server.send("GET", "/document", [("Host", "evil.example")])
      #expect(foreign.status == 421)
      try await Self.expect(1, server)
    }
  }

  @Test(
    "what is not for everybody is not kept",
    arguments: [
      [:], [.cacheControl: "private, max-age=60"],
      [.cacheControl: "public, max-age=60", .vary: "Accept"],
      [.cacheControl: "public, max-age=60", .setCookie: "a=b"],
      [.cacheControl: "public, max-age=60", .connection: "close"],
    ] as [HTTPFields])
  func notPublic(_ headers: HTTPFields) async throws {
    try await TestServer.run([Asked().group(headers)]) { server in
      try await Self.expect(1, server)
      try await Self.expect(2, server)
    }
  }

  @Test("nor what is long, or an error")
  func unfit() async throws {
    let long = String(repeating: "x", count: PublishedAnswers.bodyBytesMax)
    let asked = Asked()
    let groups = [
      EndpointGroup([
        Route(.get, "long") { _, _ in
          JSONResponse(
            .ok, ["long": .string(long), "asked": .integer(Int64(asked.next))],
            headers: Self.publicHeaders)
        }
      ]),
      EndpointGroup([
        Route(.get, "missing") { _, _ in
          JSONResponse(
            .notFound, ["asked": .integer(Int64(asked.next))], headers: Self.publicHeaders)
        }
      ]),
    ]
    try await TestServer.run(groups) { server in
      for (path, count) in [("/long", 1), ("/long", 2), ("/missing", 3), ("/missing", 4)] {
        try await Self.expect(count, server, path)
      }
    }
  }

  @Test("nor under a long address")
  func longAddress() async throws {
    let time = ManualClock(Date(unixSeconds: 1_800_000_000))
    try await TestServer.run([Asked().group(Self.publicHeaders)], clock: time.clock) { server in
      let path = "/document?"
      let query = String(
        repeating: "x", count: PublishedAnswers.addressBytesMax - "127.0.0.1\(path)".utf8.count)
      for count in [1, 1] { try await Self.expect(count, server, path + query) }
      for count in [2, 3] { try await Self.expect(count, server, path + query + "x") }
    }
  }

  @Test("nor while nobody tells of changes; what was kept before is not given then")
  func unheard() async throws {
    let time = ManualClock(Date(unixSeconds: 1_800_000_000))
    let generation = Mutex<UInt64?>(nil)
    try await TestServer.run(
      [Asked().group(Self.publicHeaders)], clock: time.clock,
      generation: { generation.withLock { $0 } }
    ) { server in
      for count in [1, 2] { try await Self.expect(count, server) }
      generation.withLock { $0 = 1 }
      for count in [3, 3] { try await Self.expect(count, server) }
      generation.withLock { $0 = nil }
      for count in [4, 5] { try await Self.expect(count, server) }
    }
  }

  @Test("a change is seen at once, also one that happens while the endpoint answers")
  func changes() async throws {
    let generation = Mutex<UInt64>(0)
    let asked = Asked()
    let group = EndpointGroup([
      Route(.get, "document") { _, _ in
        let count = asked.next
        if count == 2 { generation.withLock { $0 += 1 } }
        return JSONResponse(.ok, ["asked": .integer(Int64(count))], headers: Self.publicHeaders)
      }
    ])
    try await TestServer.run([group], generation: { generation.withLock { $0 } }) { server in
      try await Self.expect(1, server)
      try await Self.expect(1, server)
      generation.withLock { $0 += 1 }
      try await Self.expect(2, server)
      try await Self.expect(3, server)
      try await Self.expect(3, server)
    }
  }

  @Test("what this process hears nothing of is over in half a second")
  func age() async throws {
    let time = ManualClock(Date(unixSeconds: 1_800_000_000))
    try await TestServer.run([Asked().group(Self.publicHeaders)], clock: time.clock) { server in
      try await Self.expect(1, server)
      time.advance(bySeconds: 0.4)
      try await Self.expect(1, server)
      time.advance(bySeconds: 0.2)
      try await Self.expect(2, server)
    }
  }

  @Test("a connection that was asked to end does so after a kept answer")
  func quiesced() throws {
    let connection = try EmbeddedConnection()
    let (channel, published) = (connection.channel, connection.published)
    let request = HTTPRequest(
      method: .get, scheme: "http", authority: "localhost", path: "/document")
    var candidate = try #require(published.candidate(request))
    let fields: HTTPFields = [.cacheControl: "public", .contentLength: "4"]
    let begins = candidate.begins(HTTPResponse(status: .ok, headerFields: fields))
    let goesOn = candidate.goesOn(ByteBuffer(string: "kept"))
    #expect(begins && goesOn)
    published.keep(candidate, from: AnswerOrigin(route: "/document", tenant: nil))

    connection.receive(.head(request))
    channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    #expect(channel.isActive)
    connection.receive(.end(nil))
    let answer = try channel.readOutbound(as: ByteBuffer.self)
    #expect(answer.map { String(buffer: $0).hasSuffix("\r\n\r\nkept") } == true)
    #expect(!channel.isActive)
  }

  @Test("requests that come at once are answered in their order")
  func pipelined() async throws {
    let groups = [
      Asked().group(Self.publicHeaders),
      EndpointGroup([Route(.get, "slow") { _, _ in "the slow one" }]),
    ]
    try await TestServer.run(groups) { server in
      let document = "GET /document HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let slow = "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let last = "GET /document HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
      let reply = try await RawConnection.exchange(
        port: server.port, document + slow + document + slow + last)
      let parts = reply.matches(of: /"asked":\d+|the slow one/).map { String($0.output) }
      #expect(parts.count == 5, "\(reply)")
      #expect(parts.map { $0 == "the slow one" } == [false, true, false, true, false])
    }
  }
}
