import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import Platform
import Synchronization
import Testing

@testable import Web

@Suite("The internal listener (design section 5)")
struct InternalServerTests {
  static func run(
    _ readiness: Readiness, _ metrics: MetricsRegistry,
    _ body: @escaping @Sendable (InternalClient) async throws -> Void
  ) async throws {
    var read = SettingsReader.documentation
    var settings = InternalSettings(&read)
    #expect(settings.address == "127.0.0.1" && settings.port == 9090)
    settings.port = 0
    let listening = TestSignal<Int>.armed()
    let server = InternalServer(
      settings: settings, readiness: readiness, metrics: metrics,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      onListening: { listening.signal($0) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run() }
      try await body(InternalClient(port: try await listening.wait()))
      group.cancelAll()
    }
  }

  struct InternalClient: Sendable {
    let port: Int

    func get(_ path: String) async throws -> Reply {
      let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
      let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
      let body = try await response.body.collect(upTo: 1 << 20)
      var headers: [String: [String]] = [:]
      for (name, value) in response.headers { headers[name.lowercased(), default: []] += [value] }
      return Reply(
        status: Int(response.status.code), headers: headers, body: String(buffer: body))
    }
  }

  @Test("alive, ready with reasons, and counted")
  func answers() async throws {
    let state = Mutex(HealthState.ready)
    let readiness = Readiness(
      [
        HealthCheck("database") { state.withLock { $0 } },
        HealthCheck("redis") { .degraded("away") },
      ], timeout: .seconds(5))
    let metrics = MetricsRegistry([.gauge("a_level", "A level.") { 7 }])
    try await Self.run(readiness, metrics) { client in
      let alive = try await client.get("/healthz")
      #expect(alive.status == 200 && alive.body == "ok\n")

      let ready = try await client.get("/readyz")
      #expect(ready.status == 200)
      #expect(ready.header("Content-Type") == "application/json")
      #expect(
        ready.json == [
          "status": "degraded",
          "checks": [
            ["name": "database", "status": "ready"],
            ["name": "redis", "status": "degraded", "reason": "away"],
          ],
        ])

      state.withLock { $0 = .failed("SQLSTATE 08001") }
      let failed = try await client.get("/readyz")
      #expect(failed.status == 503 && failed.json?["status"] == "unready")
      #expect(failed.body.contains("SQLSTATE 08001"))
      #expect(try await client.get("/healthz").status == 200)

      state.withLock { $0 = .ready }
      readiness.drain()
      let draining = try await client.get("/readyz")
      #expect(draining.status == 503)
      #expect(draining.body.contains("shutting down"))
      #expect(try await client.get("/healthz").status == 200)

      let scraped = try await client.get("/metrics")
      #expect(scraped.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
      #expect(scraped.body.contains("\na_level 7\n"))
      #expect(try await client.get("/admin/v1/organizations").status == 404)
    }
  }

  @Test("a check that hangs has failed, or says itself why it was slow")
  func bounded() async throws {
    let readiness = Readiness(
      [
        HealthCheck("hangs") {
          try? await Task.sleep(for: .seconds(3600))
          return .failed("no answer in time")
        },
        HealthCheck("busy") {
          do {
            try await Task.sleep(for: .seconds(3600))
            return .ready
          } catch {
            return .degraded("busy")
          }
        },
      ], timeout: .milliseconds(50))
    let report = await readiness.report()
    #expect(!report.isReady)
    #expect(report.results[0].state == .failed("no answer in time"))
    #expect(report.results[1].state == .degraded("busy"))
  }
}

@Suite("What is told of a request")
struct RequestMetricsTests {
  @Test("counted by route template, fixed methods and class of status; organizations are bounded")
  func counted() async throws {
    let metrics = RequestMetrics(routes: ["/a", "/b/{id}"], tenantsMax: 2)
    metrics.record(.get, route: "/a", tenant: nil, status: 200, nanoseconds: 1_000_000)
    metrics.record(.post, route: "/b/{id}", tenant: "acme", status: 503, nanoseconds: 7_000_000)
    metrics.record(.other, route: RequestMetrics.noRoute, tenant: nil, status: 404, nanoseconds: 1)
    metrics.record(.get, route: "/invented", tenant: nil, status: 204, nanoseconds: 1)
    for tenant in ["globex", "third", "fourth"] {
      metrics.record(.get, route: "/a", tenant: tenant, status: 302, nanoseconds: 1)
    }
    let text = String(
      decoding: MetricsRegistry(metrics.families).exposition(), as: UTF8.self)
    for line in [
      "tenure_http_requests_total{method=\"GET\",route=\"/a\",status=\"2xx\"} 1",
      "tenure_http_requests_total{method=\"GET\",route=\"/a\",status=\"3xx\"} 3",
      "tenure_http_requests_total{method=\"POST\",route=\"/b/{id}\",status=\"5xx\"} 1",
      "tenure_http_requests_total{method=\"other\",route=\"none\",status=\"4xx\"} 1",
      "tenure_http_requests_total{method=\"GET\",route=\"none\",status=\"2xx\"} 1",
      "tenure_http_request_duration_seconds_bucket{route=\"/b/{id}\",le=\"0.005\"} 0",
      "tenure_http_request_duration_seconds_bucket{route=\"/b/{id}\",le=\"0.01\"} 1",
      "tenure_http_request_duration_seconds_count{route=\"none\"} 2",
      "tenure_tenant_requests_total{tenant=\"acme\",status=\"5xx\"} 1",
      "tenure_tenant_requests_total{tenant=\"globex\",status=\"3xx\"} 1",
      "tenure_tenant_requests_total{tenant=\"_other\",status=\"3xx\"} 2",
      "tenure_http_requests_in_flight 0",
    ] { #expect(text.contains("\n\(line)\n"), "\(line) is not in\n\(text)") }
    #expect(!text.contains("invented") && !text.contains("third"))
  }

  @Test("the trace of the caller goes on, a broken one is replaced, and spans name the template")
  func traces() async throws {
    let tracer = SpanRecorder(sampleRatio: 1, spansMax: 100)
    let id = "0af7651916cd43dd8448eb211c80319c"
    try await TestServer.run(ServerTests.groups, tracer: tracer) { server in
      let header = ("traceparent", "00-\(id)-b7ad6b7169203331-01")
      let reply = try await server.send("GET", "/t/acme/hello?code=secret", [header])
      #expect(reply.header("X-Request-ID") != id)
      #expect(server.lines.named("request").last?.metadata["trace_id"] == .string(id))
      let span = try #require(tracer.take(max: 10).first)
      #expect(span.name == "GET /t/{slug}/hello")
      let written = OTLP.document([span], serviceVersion: "0").text
      #expect(written.contains(id) && written.contains("b7ad6b7169203331"))
      #expect(written.contains("acme") && !written.contains("secret"))

      let unsampled = ("traceparent", "00-\(id)-b7ad6b7169203331-00")
      _ = try await server.send("GET", "/page/ok", [unsampled])
      #expect(tracer.take(max: 10).isEmpty)

      let broken = ("traceparent", "00-\(id)-b7ad6b7169203331-1")
      let fresh = try await server.send("PROPFIND", "/page/nothing", [broken])
      let line = try #require(server.lines.named("request").last)
      #expect(line.metadata["trace_id"] != .string(id))
      #expect(line.metadata["trace_id"]?.description == fresh.header("X-Request-ID"))
      #expect(line.metadata["method"] == "other" && line.metadata["route"] == "none")
      #expect(tracer.take(max: 10).map(\.name) == ["other none"])

      _ = try await server.send("GET", "/page/throws")
      #expect(OTLP.document(tracer.take(max: 1), serviceVersion: "0").text.contains("\"code\":2"))
    }
  }
}
