import Foundation
import Platform

/// A little OTLP/HTTP collector: it keeps every document it takes, and can refuse the first ones.
struct Collector: Sendable {
  let process: TenureProcess
  let port: UInt16
  private let file: URL

  var endpoint: String { "http://127.0.0.1:\(port)/v1/traces" }

  private static let script = """
    import http.server, sys
    port, path, refusals = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'
        left = refusals
        def do_POST(self):
            body = self.rfile.read(int(self.headers['Content-Length']))
            refused = Handler.left > 0 or self.path != '/v1/traces' \\
                or self.headers['Content-Type'] != 'application/json'
            Handler.left -= 1
            if not refused:
                with open(path, 'ab') as f: f.write(body + b'\\n')
            self.send_response(503 if refused else 200)
            self.send_header('Content-Length', '2')
            self.end_headers()
            self.wfile.write(b'{}')
        def log_message(self, *_): pass
    http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler).serve_forever()
    """

  init(in folder: URL, refusing refusals: Int = 0) async throws {
    port = try Deployment.freePort()
    file = folder.appendingPathComponent("spans-\(port).ndjson")
    process = try await TenureProcess(
      program: "/usr/bin/env",
      ["python3", "-c", Self.script, "\(port)", file.path, "\(refusals)"], environment: [:],
      folder: folder)
  }

  /// Everything taken so far, as text.
  var text: String { (try? String(contentsOf: file, encoding: .utf8)) ?? "" }

  /// Every span taken so far.
  var spans: [JSON] {
    text.split(separator: "\n").flatMap { line in
      let document = try? JSON.parse(
        Array(line.utf8), limits: JSONLimits(depth: 32, bytes: 16 << 20))
      return (document?["resourceSpans"]?.arrayValue ?? []).flatMap { resource in
        (resource["scopeSpans"]?.arrayValue ?? []).flatMap { $0["spans"]?.arrayValue ?? [] }
      }
    }
  }

  /// Waits for a span.
  func span(where matches: (JSON) -> Bool) async throws -> JSON {
    for _ in 0..<1500 {
      if let span = spans.first(where: matches) { return span }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw TestFailure("No such span among \(spans.compactMap { $0["name"]?.stringValue }).")
  }
}
