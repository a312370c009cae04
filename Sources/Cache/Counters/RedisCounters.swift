/// Counters in Redis, which throw when it is away.
struct RedisCounters: Sendable {
  let client: RedisClient

  /// INCR and PEXPIRE in one step: a counter without an expiry would lock somebody out for good.
  static let incrementScript = RedisScript(
    text: """
      local count = redis.call('INCR', KEYS[1])
      if count == 1 or redis.call('PTTL', KEYS[1]) < 0 then
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
      end
      return count
      """,
    sha1: "6fd019884eb30c6f45358081811481b017a5a4b2")

  func increment(_ key: String, windowSeconds: Int) async throws -> Int {
    let reply = try await client.run(
      Self.incrementScript, keys: [name(key)], arguments: [String(windowSeconds * 1000)])
    guard case .integer(let count) = reply else { throw RedisError.unexpectedReply }
    return Int(count)
  }

  func value(_ key: String) async throws -> Int {
    switch try await client.send("GET", name(key)) {
    case .null: return 0
    case .string(let bytes):
      guard let count = Int(String(decoding: bytes, as: UTF8.self)) else {
        throw RedisError.unexpectedReply
      }
      return count
    default: throw RedisError.unexpectedReply
    }
  }

  func reset(_ key: String) async throws {
    _ = try await client.send("DEL", name(key))
  }

  private func name(_ key: String) -> String { "tenure:counter:" + key }
}
