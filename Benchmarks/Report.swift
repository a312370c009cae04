import Foundation
import Platform

/// The table, and the files beside it.
struct Report: Sendable {
  let plan: Plan
  let machine: Machine
  let results: [RowResult]

  static let folder = ".build/bench"
  static let history = "Benchmarks/history.jsonl"

  var markdown: String {
    var lines = [
      "", "| work | organizations | figure | spread | unit | bar | verdict |",
      "|---|---:|---:|---|---|---|---|",
    ]
    for result in results {
      if let failure = result.failure {
        lines.append("| \(result.row.work) | \(result.tenants) | | | | | **failed**: \(failure) |")
      }
      for (index, bar) in result.row.bars.enumerated() {
        guard let spread = result.figure(bar.figure) else { continue }
        let cells = [
          index == 0 ? result.row.work : "", "\(result.tenants)", Number.text(spread.median),
          "\(Number.text(spread.least)) – \(Number.text(spread.most))", bar.unit,
          barText(bar, result, spread), verdictText(result.verdict(bar)),
        ]
        lines.append("| \(cells.joined(separator: " | ")) |")
      }
    }
    let date = Date().formatted(.iso8601.year().month().day())
    lines += ["", "`RUNS=\(plan.runs) SECONDS=\(plan.seconds)`; \(machine.text); \(date)."]
    return lines.joined(separator: "\n")
  }

  private func barText(_ bar: Bar, _ result: RowResult, _ spread: Spread) -> String {
    guard result.tenants > 1 else { return bar.limit.text }
    guard let single = result.singleMedian, bar.figure == result.row.bars[0].figure else {
      return ""
    }
    return "≥ \(RowResult.mixedBar) of one: \(Number.text(spread.median / single))"
  }

  private func verdictText(_ verdict: Verdict?) -> String {
    verdict.map { $0 == .met ? "met" : "**\($0.rawValue)**" } ?? ""
  }

  var document: JSON {
    [
      "date": .string(Date().formatted(.iso8601)), "revision": .string(Machine.revision),
      "machine": machine.document, "runs": .integer(Int64(plan.runs)),
      "seconds": .integer(Int64(plan.seconds)),
      "rows": .array(results.map(Self.document)),
    ]
  }

  private static func document(_ result: RowResult) -> JSON {
    let figures = result.row.bars.compactMap { bar -> (String, JSON)? in
      guard let spread = result.figure(bar.figure) else { return nil }
      var members: JSONObject = [
        "median": .number(spread.median), "min": .number(spread.least),
        "max": .number(spread.most), "unit": .string(bar.unit),
      ]
      switch bar.limit {
      case .atLeast(let limit): members["at_least"] = .number(limit)
      case .atMost(let limit): members["at_most"] = .number(limit)
      case .none: break
      }
      if let verdict = result.verdict(bar) { members["verdict"] = .string(verdict.rawValue) }
      return (bar.figure, .object(members))
    }
    var members: JSONObject = [
      "name": .string(result.row.name), "tenants": .integer(Int64(result.tenants)),
      "figures": .object(JSONObject(figures)),
      "runs": .array(
        result.runs.map { run in
          .object(JSONObject(run.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) }))
        }),
    ]
    if let failure = result.failure { members["failure"] = .string(failure) }
    return .object(members)
  }

  /// Writes the table and its JSON beside the build, and a line into the history.
  func write(toHistory: Bool) throws {
    let bytes = document.encoded()
    try Data(bytes).write(to: URL(fileURLWithPath: "\(Self.folder)/result.json"))
    try Data(markdown.utf8).write(to: URL(fileURLWithPath: "\(Self.folder)/result.md"))
    guard toHistory else { return }
    if !FileManager.default.fileExists(atPath: Self.history) {
      try Data().write(to: URL(fileURLWithPath: Self.history))
    }
    guard let file = FileHandle(forWritingAtPath: Self.history) else {
      throw BenchFailure("\(Self.history) can't be written.")
    }
    try file.seekToEnd()
    try file.write(contentsOf: Data(bytes + [UInt8(ascii: "\n")]))
    try file.close()
  }

  /// Puts the table between the marks of the README.
  func writeReadme() throws {
    let (path, end) = ("README.md", "<!-- /benchmarks -->")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    guard let begin = text.firstRange(of: "<!-- benchmarks:"),
      case let rest = text[begin.upperBound...], let mark = rest.firstRange(of: "-->\n"),
      let after = rest.firstRange(of: end)
    else { throw BenchFailure("README.md has no place for the table.") }
    let whole =
      text[..<mark.upperBound] + markdown.drop { $0 == "\n" } + "\n\n" + text[after.lowerBound...]
    try Data(whole.utf8).write(to: URL(fileURLWithPath: path))
  }
}

/// What was measured on, without names.
struct Machine: Sendable {
  let cores: Int
  let memoryMiB: Int
  let kernel: String

  static var current: Machine {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: &name.release) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return Machine(
      cores: ProcessInfo.processInfo.activeProcessorCount,
      memoryMiB: Int(ProcessInfo.processInfo.physicalMemory >> 20), kernel: release)
  }

  /// The commit that was measured, with a mark if files were changed since.
  ///
  /// Read before the history is written, which changes the tree.
  static let revision: String =
    (try? Program.output("git", ["describe", "--always", "--dirty", "--exclude", "*"])) ?? "unknown"

  var text: String { "\(cores) cores, \(memoryMiB) MiB, Linux \(kernel), \(Self.revision)" }

  var document: JSON {
    [
      "cores": .integer(Int64(cores)), "memory_mib": .integer(Int64(memoryMiB)),
      "kernel": .string(kernel),
    ]
  }
}

/// Numbers as people read them.
enum Number {
  static func text(_ value: Double) -> String {
    switch abs(value) {
    case 1000...: value.formatted(.number.precision(.fractionLength(0)).locale(locale))
    case 20...: value.formatted(.number.precision(.fractionLength(1)).locale(locale))
    default: value.formatted(.number.precision(.fractionLength(0...2)).locale(locale))
    }
  }

  private static let locale = Locale(identifier: "en_US_POSIX")
}

/// Standard output for the table, standard error for what happens meanwhile.
enum Terminal {
  static func line(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }
  static func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
