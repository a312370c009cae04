import NIOCore
import Platform
import Testing

@testable import Cache

@Suite("Redis addresses")
struct RedisAddressTests {
  @Test(
    "accepted",
    arguments: [
      ("redis://localhost", .tcp(host: "localhost", port: 6379), nil, nil, 0),
      ("redis://localhost:7000/", .tcp(host: "localhost", port: 7000), nil, nil, 0),
      ("redis://:p%40ss%2Fw@10.0.0.1:6379/3", .tcp(host: "10.0.0.1", port: 6379), nil, "p@ss/w", 3),
      (
        "redis://ten:word@cache.internal/15", .tcp(host: "cache.internal", port: 6379), "ten",
        "word", 15
      ),
      ("redis://[::1]:6380/1", .tcp(host: "::1", port: 6380), nil, nil, 1),
      ("redis+unix:///run/redis.sock", .unix(path: "/run/redis.sock"), nil, nil, 0),
      ("redis+unix:///run/redis.sock?db=2", .unix(path: "/run/redis.sock"), nil, nil, 2),
      ("redis+unix://:secret@/run/r%20s.sock", .unix(path: "/run/r s.sock"), nil, "secret", 0),
    ] as [(String, RedisAddress.Endpoint, String?, String?, Int)])
  func accepts(
    _ text: String, _ endpoint: RedisAddress.Endpoint, _ username: String?, _ password: String?,
    _ database: Int
  ) throws {
    let address = try RedisAddress(Secret(text))
    #expect(address.endpoint == endpoint)
    #expect(address.username == username)
    #expect(address.password?.reveal() == password)
    #expect(address.database == database)
    if let password { #expect(!address.label.contains(password)) }
  }

  @Test(
    "refused, without showing the address",
    arguments: [
      "", "localhost", "http://localhost", "redis://", "redis:///1", "redis://h:0",
      "redis://h:65536", "redis://h:x",
      "redis://h/x", "redis://h/-1", "redis://h/01", "redis://h/1/2", "redis://h?db=1",
      "redis://h#x", "redis://user@h",
      "redis+unix://", "redis+unix:///", "redis+unix://host/run/r.sock", "redis+unix:///r.sock?x=1",
      "redis+unix:///r.sock?db=1&db=2", "rediss://:hunter2@h",
    ])
  func refuses(_ text: String) {
    let error = #expect(throws: SettingRefusal.self) { try RedisAddress(Secret(text)) }
    #expect(error?.expected.contains("hunter2") == false)
  }

  @Test("settings: a bad address is a problem by name, and none means memory")
  func settings() throws {
    var bad = SettingsReader(environment: ["TENURE_REDIS_URL": "http://:hunter2@h"]) { _ in nil }
    _ = CacheSettings(&bad)
    #expect(bad.problems.count == 1)
    #expect(bad.problems.first?.hasPrefix("TENURE_REDIS_URL must be redis://") == true)
    var none = SettingsReader.documentation
    #expect(CacheSettings(&none).redis == nil)
    try none.validated()
  }
}

@Suite("RESP2, by hiredis")
struct RedisProtocolTests {
  @Test("commands are arrays of bulk strings, whatever is in them")
  func encodes() {
    #expect(RedisCommand.encode(["PING"]) == Array("*1\r\n$4\r\nPING\r\n".utf8))
    #expect(
      RedisCommand.encode(["SET", "", "a b\r\n\u{0}é"])
        == Array("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$8\r\na b\r\n\u{0}é\r\n".utf8))
    #expect(RedisCommand.encode([""]) == Array("*1\r\n$0\r\n\r\n".utf8))
  }

  static let stream =
    "+OK\r\n:-42\r\n$-1\r\n-ERR no\r\n$5\r\na\r\nb\u{0}\r\n*3\r\n:1\r\n*1\r\n$1\r\nx\r\n*-1\r\n*0\r\n"
  static let replies: [RedisReply] = [
    .status("OK"), .integer(-42), .null, .error("ERR no"), .string(Array("a\r\nb\u{0}".utf8)),
    .array([.integer(1), .array([.string([0x78])]), .null]), .array([]),
  ]

  @Test("replies arrive in pieces of any size", arguments: [1, 2, 3, 7, 1000])
  func decodes(pieceBytes: Int) throws {
    let reader = RedisReplyReader()
    let bytes = Array(Self.stream.utf8)
    var found: [RedisReply] = []
    for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
      try reader.feed(ByteBuffer(bytes: bytes[start..<min(start + pieceBytes, bytes.count)]))
      while let reply = try reader.next() { found.append(reply) }
    }
    #expect(found == Self.replies)
  }

  @Test(
    "what is not RESP is refused",
    arguments: ["HTTP/1.1 400 Bad Request\r\n", "?\r\n", "*1\r\n!\r\n"])
  func refuses(_ text: String) {
    #expect(throws: RedisError.malformedReply) {
      let reader = RedisReplyReader()
      try reader.feed(ByteBuffer(string: text))
      _ = try reader.next()
    }
  }

  @Test("a reply beyond the limit is refused")
  func refusesEndlessReply() {
    #expect(throws: RedisError.malformedReply) {
      let reader = RedisReplyReader()
      try reader.feed(ByteBuffer(string: "$100000000\r\n"))
      for _ in 0..<20 { try reader.feed(ByteBuffer(repeating: 0x61, count: 1 << 20)) }
    }
  }
}
