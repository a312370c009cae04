import FoundationEssentials
import Glibc
import Logging
import Synchronization
import Testing

@testable import Platform

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

  @Test("lines of many threads stay whole, and none is lost or left waiting")
  func sharedOutput() async throws {
    let path = "/tmp/tenure-lines-\(UUID().uuidString)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    #expect(descriptor >= 0)
    defer {
      close(descriptor)
      unlink(path)
    }
    let output = SharedOutput(descriptor)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for number in 0..<500 {
            let rest = String(repeating: "x", count: number * 13 % 6000)
            output.write(Array("\(task) \(number) \(rest)\n".utf8))
          }
        }
      }
    }
    let text = String(
      decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
    var next = [Int](repeating: 0, count: 8)
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
      let task = try #require(Int(words[0]))
      let number = try #require(Int(words[1]))
      #expect(number == next[task])
      #expect(words[2].utf8.count == number * 13 % 6000)
      next[task] += 1
    }
    #expect(next == [Int](repeating: 500, count: 8))
  }

  @Test("the line of a request, in both forms")
  func requestLine() throws {
    func line(_ format: LogFormat) -> String {
      let lines = Lines()
      let access = AccessLines(
        format, logger: "tenure", clock: WallClock { Date(unixSeconds: 1_000_000) },
        sink: lines.sink)
      var line = access.begin()
      line.add("route", "/t/{slug}/\"\n")
      line.add("status", 200)
      line.add("time", "forged")
      access.write(line)
      return lines.all.joined()
    }
    #expect(
      line(.readable)
        == "13:46:40.000 info  tenure: request route=/t/{slug}/\"\\u{a} status=200 time=forged\n")
    let json = line(.json)
    #expect(json.hasSuffix("}\n") && json.dropLast().allSatisfy { !$0.isNewline })
    #expect(
      try JSON.parse(Array(json.utf8), limits: .request) == [
        "time": "1970-01-12T13:46:40.000Z", "level": "info", "logger": "tenure",
        "message": "request", "route": "/t/{slug}/\"\n", "status": 200, "field_time": "forged",
      ])
  }
}
