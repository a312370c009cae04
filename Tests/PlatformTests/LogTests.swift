import FoundationEssentials
import Logging
import Platform
import Synchronization
import Testing

@Suite("Log lines")
struct LogTests {
  final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var sink: LogSink {
      LogSink { [self] line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    }
    var all: [String] { lines.withLock { $0 } }
  }

  static func log(_ format: LogFormat, _ body: (inout Logger) -> Void) -> [String] {
    let lines = Lines()
    let clock = WallClock { Date(unixSeconds: 1_000_000) }
    var logger = LogBootstrap.logger(
      format, label: "test", level: .info, clock: clock, sink: lines.sink)
    body(&logger)
    return lines.all
  }

  @Test("JSON: one object a line, fields at the top, levels respected")
  func json() throws {
    let lines = Self.log(.json) { logger in
      logger[metadataKey: LogBootstrap.requestID] = "r-1"
      logger.info("hello \"you\"\nthere", metadata: ["list": ["a", "b"], "level": "forged"])
      logger.debug("hidden")
    }
    #expect(lines.count == 1)
    let line = try #require(lines.first)
    #expect(line.hasSuffix("\n"))
    #expect(line.dropLast().allSatisfy { !$0.isNewline })
    #expect(
      try JSON.parse(Array(line.utf8), limits: .request) == [
        "time": "1970-01-12T13:46:40.000Z", "level": "info", "logger": "test",
        "message": "hello \"you\"\nthere", "field_level": "forged", "list": ["a", "b"],
        "request_id": "r-1",
      ])
  }

  @Test("readable: no value can forge a line or drive the terminal")
  func readable() {
    let lines = Self.log(.readable) {
      $0.warning("careful\nnow", metadata: ["who": "a\u{1b}[31mb\u{2028}", "error": "x"])
    }
    #expect(
      lines == ["13:46:40.000 warn  test: careful\\u{a}now error=x who=a\\u{1b}[31mb\\u{2028}\n"])
  }

  @Test("long values are cut")
  func cuts() throws {
    let lines = Self.log(.json) { $0.info("\(String(repeating: "é", count: 10_000))") }
    #expect(try #require(lines.first).utf8.count < 9000)
  }
}
