import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// What an orchestrator asks a process (design section 5: the internal listener).
@Suite("Health")
struct HealthTests {
  @Test("A worker has the listener, too; Redis away is no reason to send it nothing")
  func worker() async throws {
    let deployment = try await Deployment()
    let port = try Deployment.freePort()
    let worker = try await deployment.serve(
      roles: "worker", internalPort: port,
      environment: [
        "TENURE_REDIS_URL": "redis+unix://\(deployment.folder.path)/nothing.sock"
      ])
    let base = "http://127.0.0.1:\(port)"
    #expect(try await HTTP.get("\(base)/healthz").text == "ok\n")
    let ready = try await HTTP.get("\(base)/readyz")
    #expect(ready.status == 200 && ready.json["status"] == "degraded", "\(ready)")
    let redis = ready.json["checks"]?.arrayValue?.first { $0["name"] == "redis" }
    #expect(redis?["status"] == "degraded")
    let text = try await HTTP.get("\(base)/metrics").text
    #expect(text.contains("\ntenure_redis_connected 0\n"))
    #expect(text.contains("\ntenure_jobs_started_total{kind=\"privacy.export\"} "))
    #expect(!text.contains("tenure_http_requests_total"))
    try await worker.end(SIGTERM)
  }

  @Test(
    "A Postgres that hangs is said within seconds, and forgotten when it is back",
    .timeLimit(.minutes(10)))
  func hangs() async throws {
    let deployment = try await Deployment()
    let relay = try await Relay(to: deployment.databaseURL, in: deployment.folder)
    let port = try Deployment.freePort()
    let server = try await deployment.serve(
      roles: "control,runtime", internalPort: port,
      environment: ["TENURE_DATABASE_URL": relay.url])
    let base = "http://127.0.0.1:\(port)"
    #expect(try await HTTP.get("\(base)/readyz").status == 200)

    kill(relay.process.pid, SIGUSR1)
    let clock = ContinuousClock()
    let start = clock.now
    let stuck = try await Self.readiness(base) { $0.status == 503 }
    #expect(stuck.text.contains("no answer in time"), "\(stuck)")
    #expect(try await HTTP.get("\(base)/healthz").status == 200)
    #expect(try await HTTP.get("\(base)/metrics").status == 200)
    // Every question is answered, the slow ones after two seconds.
    #expect(clock.now - start < .seconds(20))

    kill(relay.process.pid, SIGUSR2)
    _ = try await Self.readiness(base) { $0.status == 200 }
    try await server.end(SIGTERM)
    try await relay.process.end(SIGKILL)
  }

  @Test("A database that lacks migrations is not ready")
  func migrations() async throws {
    let deployment = try await Deployment()
    let port = try Deployment.freePort()
    let server = try await deployment.serve(roles: "control,runtime", internalPort: port)
    try TestServices.psql(
      "delete from control.schema_migration where version = (select max(version) from control.schema_migration)",
      at: deployment.databaseURL)
    let reply = try await HTTP.get("http://127.0.0.1:\(port)/readyz")
    #expect(reply.status == 503)
    #expect(reply.text.contains("1 migrations pending"), "\(reply)")
    try await server.end(SIGTERM)
  }

  private static func readiness(
    _ base: String, until matches: (Reply) -> Bool
  ) async throws -> Reply {
    for _ in 0..<300 {
      let reply = try await HTTP.get("\(base)/readyz")
      if matches(reply) { return reply }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw TestFailure("Readiness does not change.")
  }
}

/// Stands between a process and Postgres, and holds everything back between SIGUSR1 and SIGUSR2.
private struct Relay: Sendable {
  let process: TenureProcess
  let url: String

  private static let script = """
    import os, select, signal, socket, sys, threading
    folder, target = sys.argv[1], sys.argv[2]
    flowing = threading.Event(); flowing.set()
    signal.signal(signal.SIGUSR1, lambda *_: flowing.clear())
    signal.signal(signal.SIGUSR2, lambda *_: flowing.set())
    server = socket.socket(socket.AF_UNIX); server.bind(folder + '/.s.PGSQL.5432'); server.listen(64)
    def pump(a, b):
        try:
            while data := a.recv(65536):
                flowing.wait()
                b.sendall(data)
        except OSError: pass
        for s in (a, b):
            try: s.shutdown(socket.SHUT_RDWR)
            except OSError: pass
    def serve(client):
        flowing.wait()
        upstream = socket.socket(socket.AF_UNIX); upstream.connect(target)
        threading.Thread(target=pump, args=(client, upstream), daemon=True).start()
        pump(upstream, client)
    def accept():
        while True:
            client, _ = server.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    while True: signal.pause()
    """

  init(to database: String, in folder: URL) async throws {
    guard var parts = URLComponents(string: database),
      let host = parts.queryItems?.first(where: { $0.name == "host" })?.value
    else { throw TestFailure("\(database) is on no Unix socket.") }
    // A path to a socket must be short.
    let own = "/tmp/tenure-relay-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: own, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    parts.queryItems = [URLQueryItem(name: "host", value: own)]
    guard let url = parts.string else { throw TestFailure("\(database) is no address.") }
    self.url = url
    process = try await TenureProcess(
      program: "/usr/bin/env",
      ["python3", "-c", Self.script, own, "\(host)/.s.PGSQL.5432"], environment: [:],
      folder: folder)
    for _ in 0..<500 {
      if FileManager.default.fileExists(atPath: "\(own)/.s.PGSQL.5432") { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw TestFailure("The relay does not listen: \(process.printed())")
  }
}
