import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// Two processes behind nginx, replaced one after the other while wrk drives them.
@Suite("Graceful shutdown")
struct RollingRestartTests {
  @Test(
    "A rolling restart loses no request, and every process ends with 0", .timeLimit(.minutes(10)))
  func rolling() async throws {
    let deployment = try await Deployment()
    let ports = try [Deployment.freePort(), Deployment.freePort()]
    let front = try Deployment.freePort()
    let environment = [
      "TENURE_BASE_URL": "http://localhost:\(front)", "TENURE_LIMIT_CLIENT": "off",
      "TENURE_SHUTDOWN_DELAY_SECONDS": "1", "TENURE_LOG_LEVEL": "warning",
    ]
    func start(_ port: UInt16) async throws -> TenureProcess {
      try await deployment.serve(
        roles: "control,runtime",
        environment: environment.merging(["TENURE_HTTP_PORT": "\(port)"]) { $1 })
    }
    var processes = [try await start(ports[0]), try await start(ports[1])]
    let nginx = try await Nginx(port: front, upstreams: ports, in: deployment.folder)
    let load = try Load(
      "http://localhost:\(front)/t/system/oauth2/token", deployment.admin, seconds: 10,
      in: deployment.folder)
    let wrk = try await load.start()
    try await Task.sleep(for: .seconds(1))
    for index in processes.indices {
      let old = processes[index]
      kill(old.pid, SIGTERM)
      #expect(try await old.wait() == 0, "\(old.printed())")
      processes[index] = try await start(ports[index])
    }
    let report = try await load.report(of: wrk)
    #expect(report.requests > 100)
    #expect(report.failures == 0, "\(report.text)\n\(nginx.errors())")
    try await nginx.stop()
    for process in processes {
      kill(process.pid, SIGTERM)
      #expect(try await process.wait() == 0)
    }
  }

  @Test("A request under way when SIGTERM comes is answered, and told that the connection ends")
  func underWay() async throws {
    let deployment = try await Deployment()
    let server = try await deployment.serve(
      roles: "control,runtime",
      environment: ["TENURE_SHUTDOWN_DELAY_SECONDS": "1"])
    let url = "\(deployment.baseURL)/t/system/.well-known/jwks.json"
    let before = try await HTTP.get(url)
    #expect(before.headers.first(name: "connection") == nil)
    kill(server.pid, SIGTERM)
    var during = try await HTTP.get(url)
    for _ in 0..<100 where during.headers.first(name: "connection") == nil {
      during = try await HTTP.get(url)
    }
    #expect(during.status == 200)
    #expect(during.headers.first(name: "connection") == "close")
    #expect(try await server.wait() == 0)
    await #expect(throws: (any Error).self) { try await HTTP.get(url) }
  }
}

/// An nginx of Debian in the foreground, with a private folder.
private final class Nginx: Sendable {
  private let process: TenureProcess
  private let folder: URL

  init(port: UInt16, upstreams: [UInt16], in parent: URL) async throws {
    folder = parent.appendingPathComponent("nginx")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // A server that refused a connection is asked again: it may be back in a second.
    let servers = upstreams.map { "server 127.0.0.1:\($0) max_fails=0;" }.joined(separator: " ")
    let configuration = """
      daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
      \(getuid() == 0 ? "user root;" : "")
      events { worker_connections 512; }
      http {
        access_log off; client_body_temp_path body; proxy_temp_path proxy;
        fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        upstream tenure { \(servers) keepalive 16; }
        server {
          listen 127.0.0.1:\(port);
          location / {
            proxy_pass http://tenure; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Host $host;
          }
        }
      }
      """
    try configuration.write(
      to: folder.appendingPathComponent("nginx.conf"), atomically: true, encoding: .utf8)
    process = try await TenureProcess(
      program: "/usr/sbin/nginx", ["-p", folder.path, "-c", "nginx.conf", "-e", "error.log"],
      environment: [:], folder: folder)
    for _ in 0..<500 where !Deployment.connects(to: port) {
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  func errors() -> String {
    (try? String(contentsOf: folder.appendingPathComponent("error.log"), encoding: .utf8)) ?? ""
  }

  func stop() async throws {
    try await process.end(SIGTERM)
  }
}

/// wrk with client credentials requests; every answer that is not 200 counts as failed.
private struct Load {
  let url: String
  let seconds: Int
  let script: URL

  init(_ url: String, _ admin: AdminCredentials, seconds: Int, in folder: URL) throws {
    self.url = url
    self.seconds = seconds
    script = folder.appendingPathComponent("token.lua")
    let basic = Data("\(HTTP.escape(admin.clientID)):\(HTTP.escape(admin.clientSecret))".utf8)
      .base64EncodedString()
    try """
    wrk.method = "POST"
    wrk.headers["Authorization"] = "Basic \(basic)"
    wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
    wrk.body = "grant_type=client_credentials&scope=users:read"
    local threads = {}
    function setup(thread) table.insert(threads, thread) end
    function init() bad = 0; last = 0 end
    function response(status) if status ~= 200 then bad = bad + 1; last = status end end
    function done(summary)
      local bad = 0
      for _, thread in ipairs(threads) do bad = bad + thread:get("bad"); io.write("last " .. thread:get("last") .. "\\n") end
      local e = summary.errors
      io.write(string.format("RESULT %d %d\\n", summary.requests,
        bad + e.connect + e.read + e.write + e.timeout))
      io.write(string.format("bad %d connect %d read %d write %d timeout %d\\n", bad, e.connect, e.read, e.write, e.timeout))
    end
    """.write(to: script, atomically: true, encoding: .utf8)
  }

  func start() async throws -> TenureProcess {
    try await TenureProcess(
      program: "/usr/bin/wrk",
      ["-t1", "-c8", "-d\(seconds)s", "--timeout", "10s", "-s", script.path, url],
      environment: [:], folder: script.deletingLastPathComponent())
  }

  func report(of program: TenureProcess) async throws
    -> (requests: Int, failures: Int, text: String)
  {
    try await program.wait()
    let text = program.printed()
    guard let match = text.firstMatch(of: /RESULT (\d+) (\d+)/), let requests = Int(match.1),
      let failures = Int(match.2)
    else { throw TestFailure("wrk: \(text)") }
    return (requests, failures, text)
  }
}
