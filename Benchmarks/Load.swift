import Foundation
import Platform

/// Runs of wrk (Debian), the load generator.
enum Load {
  /// What a script of ours needs to know, as the text of a Lua table.
  struct Script: Sendable {
    let file: String
    let plan: String
  }

  /// Finished requests, picked at random; with a pause between them the load does not saturate.
  static func replay(_ requests: [HTTPRequest], pauseMilliseconds: Int = 0, port: Int) -> Script {
    let texts = requests.map { Lua.text($0.wire(port: port)) }
    return Script(
      file: "replay",
      plan: Lua.table([("requests", Lua.list(texts)), ("pause", "\(pauseMilliseconds)")]))
  }

  /// Runs a script and reads its report.
  ///
  /// - Throws: ``BenchFailure`` where an answer was not what the script waits for: a load of
  ///   refusals is no figure.
  static func run(
    _ script: Script, seconds: Int, connections: Int, port: Int, allowingBusy: Bool = false
  ) async throws -> LoadReport {
    let path = "\(Report.folder)/plan-\(UUID().uuidString).lua"
    try Data("return \(script.plan)\n".utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let arguments = [
      "-t", "1", "-c", "\(connections)", "-d", "\(seconds)s", "--timeout", "30s",
      "-s", "Benchmarks/Load/\(script.file).lua", "http://localhost:\(port)", path,
    ]
    let printed = try await OwnThread.run { try Program.output("wrk", arguments) }
    guard let line = printed.split(separator: "\n").last(where: { $0.hasPrefix("{") }) else {
      throw BenchFailure("wrk printed \(printed.suffix(300))")
    }
    let report = try LoadReport(JSON.parse(Array(line.utf8), limits: .request))
    try report.requireSound(allowingBusy: allowingBusy)
    guard script.file == "replay" || report.completed > 0 else {
      throw BenchFailure("no flow came to its end in \(seconds) s")
    }
    return report
  }
}

/// What wrk saw.
struct LoadReport: Sendable {
  let requests: Double
  /// Flows that came to their end; every request is one where the script counts none.
  let completed: Double
  /// Answers that ask to come back later.
  let busy: Double
  let seconds: Double
  let p50Milliseconds: Double
  let p99Milliseconds: Double
  private let errors: [String: Double]
  private let problem: String

  init(_ document: JSON) throws {
    func number(_ name: String) throws -> Double {
      guard let value = document[name]?.doubleValue else {
        throw BenchFailure("wrk reported no \(name).")
      }
      return value
    }
    requests = try number("requests")
    completed = try number("completed")
    busy = try number("busy")
    seconds = try number("seconds")
    p50Milliseconds = try number("p50_us") / 1000
    p99Milliseconds = try number("p99_us") / 1000
    errors = [
      "socket errors": try number("socket_errors"), "status errors": try number("status_errors"),
      "wrong answers": try number("problems"),
    ]
    problem = document["problem"]?.stringValue ?? ""
  }

  var requestsPerSecond: Double { requests / seconds }
  var completedPerSecond: Double { completed / seconds }

  fileprivate func requireSound(allowingBusy: Bool) throws {
    var errors = errors
    // wrk counts every status above 399.
    if allowingBusy { errors["status errors"] = (errors["status errors"] ?? 0) - busy }
    let found = errors.filter { $0.value != 0 }.map { "\(Int($0.value)) \($0.key)" }.sorted()
    guard found.isEmpty, requests > 0 else {
      throw BenchFailure(
        "the load met \(found.joined(separator: ", ")) in \(Int(requests)) requests; \(problem)")
    }
  }
}

/// Text of Lua tables: what `dofile` reads.
enum Lua {
  static func text(_ text: String) -> String {
    var literal = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): literal += "\\\(Character(UnicodeScalar(byte)))"
      case 0x20...0x7e: literal.append(Character(UnicodeScalar(byte)))
      default: literal += "\\\(byte / 100)\(byte / 10 % 10)\(byte % 10)"
      }
    }
    return literal + "\""
  }

  static func list(_ values: [String]) -> String { "{\(values.joined(separator: ",\n"))}" }

  static func table(_ members: [(String, String)]) -> String {
    "{\(members.map { "\($0) = \($1)" }.joined(separator: ", "))}"
  }
}

/// A thread of its own for a call that blocks, so that tasks do not wait for it.
enum OwnThread {
  static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws
    -> Result
  {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Swift.Result(catching: body)) }
    }
  }
}
