import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// What `deploy/observability` promises, with Prometheus itself.
@Suite("Prometheus")
struct PrometheusTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let folder = root.appendingPathComponent("deploy/observability")

  @Test(
    "It scrapes a process without error, knows every name, and the rules and the dashboard work",
    .timeLimit(.minutes(10)))
  func scrapes() async throws {
    let deployment = try await Deployment()
    let port = try Deployment.freePort()
    let collector = try await Collector(in: deployment.folder)
    let server = try await deployment.serve(
      roles: "control,runtime,worker", internalPort: port,
      environment: ["TENURE_TRACES_ENDPOINT": collector.endpoint, "TENURE_METRICS_TENANTS": "1"])
    let first = try await TestTenant(deployment.admin)
    let second = try await TestTenant(deployment.admin)
    for tenant in [first, second, first] {
      _ = try await HTTP.get("\(tenant.issuer)/.well-known/openid-configuration")
    }
    let text = try await HTTP.get("http://127.0.0.1:\(port)/metrics").text
    try checkExposition(text, in: deployment.folder)
    #expect(text.contains("tenure_tenant_requests_total{tenant=\"_other\""))
    let names = Self.declared(text)
    try checkDocumentation(names)

    let prometheus = try await Prometheus(scraping: port, rules: Self.folder, in: deployment.folder)
    try await prometheus.targetIsUp()
    #expect(try await prometheus.query("tenure_build_info").first?["metric"]?["version"] != nil)
    let count = try await prometheus.query(
      "sum(tenure_http_requests_total{route=\"/t/{slug}/.well-known/openid-configuration\"})")
    #expect(count.first?["value"]?.arrayValue?.last?.stringValue == "3")
    for expression in try Self.expressions() {
      let unknown = Self.names(in: expression).filter { !names.keys.contains($0) }
      #expect(unknown.isEmpty, "\(unknown) of \(expression) are not declared")
      // Prometheus understands it, whatever it finds.
      _ = try await prometheus.query(Self.filled(expression))
    }
    try Shell.run(
      "promtool", ["check", "rules", Self.folder.appendingPathComponent("tenure-rules.yml").path])
    try await prometheus.process.end(SIGTERM)
    try await server.end(SIGTERM)
    try await collector.process.end(SIGTERM)
  }

  private func checkExposition(_ text: String, in folder: URL) throws {
    let file = folder.appendingPathComponent("metrics.txt")
    try text.write(to: file, atomically: true, encoding: .utf8)
    let printed = try Shell.run("sh", ["-c", "promtool check metrics <'\(file.path)'"])
    #expect(printed.isEmpty, "\(printed)")
  }

  /// The table of `docs/observability.md` is what a process says of itself.
  private func checkDocumentation(_ names: [String: String]) throws {
    let document = try String(
      contentsOf: Self.root.appendingPathComponent("docs/observability.md"), encoding: .utf8)
    let table = document.split(separator: "\n").filter {
      $0.hasPrefix("| `tenure_") || $0.hasPrefix("| `process_")
    }
    let expected = names.sorted { $0.key < $1.key }.map { "| `\($0.key)` | \($0.value) |" }
    #expect(
      table.map(String.init) == expected,
      "write the table anew:\n\(expected.joined(separator: "\n"))"
    )
  }

  /// Name, and type and help as the table has them.
  private static func declared(_ text: String) -> [String: String] {
    var names: [String: String] = [:]
    var help: Substring = ""
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 3)
      if line.hasPrefix("# HELP ") { help = words[3] }
      if line.hasPrefix("# TYPE ") { names[String(words[2])] = "\(words[3]) | \(help)" }
    }
    return names
  }

  /// Every expression of the dashboard and of the rules.
  private static func expressions() throws -> [String] {
    let bytes = [UInt8](
      try Data(contentsOf: folder.appendingPathComponent("tenure-dashboard.json")))
    let dashboard = try JSON.parse(bytes, limits: JSONLimits(depth: 32, bytes: 1 << 20))
    let panels = dashboard["panels"]?.arrayValue ?? []
    let shown = panels.flatMap { $0["targets"]?.arrayValue ?? [] }
      .compactMap { $0["expr"]?.stringValue }
    let rules = try String(
      contentsOf: folder.appendingPathComponent("tenure-rules.yml"), encoding: .utf8)
    let alerts = rules.components(separatedBy: "- alert:").dropFirst().compactMap {
      alert -> String? in
      let lines = alert.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      guard let start = lines.firstIndex(where: { $0.hasPrefix("expr:") }) else { return nil }
      let first = lines[start].dropFirst(5).trimmingCharacters(in: .whitespaces)
      guard first == "|" else { return first }
      let rest = lines[(start + 1)...].prefix {
        !$0.hasPrefix("for:") && !$0.hasPrefix("labels:")
      }
      return rest.joined(separator: " ")
    }
    #expect(shown.count > 50 && alerts.count > 10)
    return shown + alerts
  }

  /// The metrics an expression reads, with histograms by their family.
  private static func names(in expression: String) -> [String] {
    expression.matches(of: /\b(?:tenure|process)_[a-z_]+/).map { match in
      let name = String(match.output)
      for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
        return String(name.dropLast(suffix.count))
      }
      return name
    }
  }

  private static func filled(_ expression: String) -> String {
    expression.replacing("$__rate_interval", with: "1m").replacing("$job", with: "tenure")
      .replacing("$instance", with: ".*").replacing("$tenant", with: ".*")
  }
}

/// A Prometheus of its own for one test.
struct Prometheus: Sendable {
  let process: TenureProcess
  private let base: String

  init(scraping port: UInt16, rules: URL, in folder: URL) async throws {
    let own = try Deployment.freePort()
    base = "http://127.0.0.1:\(own)/api/v1"
    let configuration = folder.appendingPathComponent("prometheus.yml")
    try """
    global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
    rule_files: ['\(rules.path)/tenure-rules.yml']
    scrape_configs:
      - job_name: tenure
        static_configs: [{targets: ['127.0.0.1:\(port)']}]
    """.write(to: configuration, atomically: true, encoding: .utf8)
    process = try await TenureProcess(
      program: "/usr/bin/prometheus",
      [
        "--config.file=\(configuration.path)",
        "--storage.tsdb.path=\(folder.appendingPathComponent("prometheus").path)",
        "--web.listen-address=127.0.0.1:\(own)", "--log.level=warn",
      ], environment: [:], folder: folder)
  }

  func targetIsUp() async throws {
    var last: JSON = .null
    for _ in 0..<600 {
      guard process.isRunning else { break }
      if let reply = try? await HTTP.get("\(base)/targets") {
        last = reply.json
        let target = last["data"]?["activeTargets"]?.arrayValue?.first
        // A scrape can be queried a moment after it counts as done.
        if target?["health"] == "up", target?["lastError"] == "", try await !query("up").isEmpty {
          return
        }
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    throw TestFailure("The target does not come up: \(last.text)\n\(process.printed())")
  }

  func query(_ expression: String) async throws -> [JSON] {
    let reply = try await HTTP.post(form: [("query", expression)], to: "\(base)/query")
    guard reply.json["status"] == "success" else {
      throw TestFailure("\(expression): \(reply.text)")
    }
    return reply.json["data"]?["result"]?.arrayValue ?? []
  }
}
