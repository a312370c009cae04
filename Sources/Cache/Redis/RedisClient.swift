import Logging
import NIOCore
import Platform
import ServiceLifecycle
import Synchronization

/// Keeps a connection to Redis and fails fast while there is none.
final class RedisClient: Service {
  private let address: RedisAddress
  private let eventLoopGroup: any EventLoopGroup
  private let timeoutMilliseconds: Int
  private let logger: Logger
  private let connection = Mutex<RedisConnection?>(nil)
  /// Commands that Redis did not answer, so that memory did.
  let failures = Counter()

  init(
    address: RedisAddress, eventLoopGroup: any EventLoopGroup, timeoutMilliseconds: Int,
    logger: Logger
  ) {
    self.address = address
    self.eventLoopGroup = eventLoopGroup
    self.timeoutMilliseconds = timeoutMilliseconds
    self.logger = logger
  }

  var isConnected: Bool { connection.withLock { $0 != nil } }

  /// Connects, again and again, until shut down.
  func run() async throws {
    await cancelWhenGracefulShutdown { [self] in
      var failures = 0
      while !Task.isCancelled {
        do {
          let opened = try await RedisConnection.open(
            to: address, on: eventLoopGroup, timeoutMilliseconds: timeoutMilliseconds)
          failures = 0
          await serve(opened)
        } catch {
          failures += 1
          if failures == 1 {
            logger.warning(
              "Redis is away, answering from memory",
              metadata: ["redis": "\(address.label)", "error": "\(error)"])
          }
        }
        await pause(after: failures)
      }
    }
  }

  private func serve(_ opened: RedisConnection) async {
    connection.withLock { $0 = opened }
    logger.info("Redis is connected", metadata: ["redis": "\(address.label)"])
    await opened.closed()
    connection.withLock { $0 = nil }
    if !Task.isCancelled {
      logger.warning("the connection to Redis is lost", metadata: ["redis": "\(address.label)"])
    }
  }

  /// 50 ms, doubled to 3.2 s, and up to half of it again, so that processes do not come back in step.
  private func pause(after failures: Int) async {
    let base = 50 << min(max(failures - 1, 0), 6)
    try? await Task.sleep(for: .milliseconds(base + Int.random(in: 0...base / 2)))
  }

  /// Sends a command; throws at once while there is no connection.
  func send(_ command: String...) async throws -> RedisReply {
    try await send(command)
  }

  private func send(_ command: [String]) async throws -> RedisReply {
    let reply = try await exchange(command)
    if case .error(let text) = reply { throw RedisError.refused(text) }
    return reply
  }

  /// Runs a script by its digest, and by its text once Redis has forgotten it.
  func run(_ script: RedisScript, keys: [String], arguments: [String]) async throws -> RedisReply {
    let rest = [String(keys.count)] + keys + arguments
    let reply = try await exchange(["EVALSHA", script.sha1] + rest)
    switch reply {
    case .error(let text) where text.hasPrefix("NOSCRIPT"):
      return try await send(["EVAL", script.text] + rest)
    case .error(let text):
      throw RedisError.refused(text)
    default:
      return reply
    }
  }

  private func exchange(_ command: [String]) async throws -> RedisReply {
    do {
      guard let connection = connection.withLock({ $0 }) else { throw RedisError.disconnected }
      return try await connection.send(command)
    } catch {
      failures.add()
      throw error
    }
  }
}

/// A Lua script and its SHA-1, which is how Redis names it; a test compares the two.
struct RedisScript: Sendable {
  let text: String
  let sha1: String
}
