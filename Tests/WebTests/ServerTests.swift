import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Platform
import Testing

@testable import Web

@Suite("The server")
struct ServerTests {
  struct Unknown: Error, CustomDebugStringConvertible {
    let debugDescription = "alice@example.com broke it"
  }

  struct ChildContext: DerivedContext {
    var base: BaseContext
    let name: String
  }
  struct ChildEndpoint: Endpoint {
    func mount(on routes: some RouterMethods<ChildContext>) {
      routes.get("hello") { _, context in "hello \(context.name) \(context.requestID)" }
      routes.get("broken") { _, _ -> String in throw Problem.badRequest("No.") }
    }
    typealias Context = ChildContext
  }

  static let groups = [
    EndpointGroup([
      Route(.get, "page/ok") { _, _ in "fine" },
      Route(.get, "page/throws") { _, _ -> String in throw Unknown() },
      Route(.get, "page/oauth") { _, _ -> String in throw OAuthError.invalidRequest("No client.") },
      Route(.get, "page/suspended") { _, _ -> String in throw Problem.unavailable("Suspended.") },
      Route(.get, "admin/v1/throws") { _, _ -> String in throw Unknown() },
      Route(.get, "admin/v1/query") { request, _ in try Query(request).required("q") },
      Route(.get, "admin/v1/challenge") { _, _ -> String in throw BearerChallenge.missing },
      Route(.post, "admin/v1/things") { request, _ in
        var fields = try await Fields(request, limit: 1000)
        let name = fields.string("name", length: 1...10)
        try fields.finish()
        return JSONResponse(.created, ["name": .string(name)], etag: ETag(version: 1))
      },
      Route(.get, "admin/v1/things/{id}") { _, context in context.parameters.get("id") ?? "" },
      Route(.post, "oauth2/token") { request, _ in
        try await Form(request, limit: 1000).required("grant_type")
      },
      Route(.get, "oauth2/named") { request, context in
        context.allowOrigins(["https://spa.example"], for: request.headers)
        return "named"
      },
      Route(.get, "oauth2/throws") { _, _ -> String in throw Unknown() },
      Route(.get, "page/http-error") { _, _ -> String in throw HTTPError(.conflict, message: "x") },
      Route(.post, "page/redirect") { _, _ in Redirect(to: "/page/ok") },
    ]),
    EndpointGroup(at: "t/{slug}", [ChildEndpoint()]) { _, base in
      guard let slug = base.parameters.get("slug"), slug != "gone" else { throw Problem.notFound() }
      try await Task.sleep(for: .milliseconds(1))
      base.brand(PageOwner(name: "Acme <&>", privacyPath: "/t/acme/privacy"))
      base.note(tenant: slug)
      return ChildContext(base: base, name: slug)
    },
  ]

  struct Expected: Sendable, CustomTestStringConvertible {
    var testDescription: String { "\(method) \(path) \(accept)" }
    let method: String
    let path: String
    var accept = "*/*"
    let status: Int
    let type: String?
    init(
      _ method: String, _ path: String, accept: String = "*/*", _ status: Int, _ type: String?
    ) {
      self.method = method
      self.path = path
      self.accept = accept
      self.status = status
      self.type = type
    }
  }

  static let html = "text/html; charset=utf-8"
  static let problem = "application/problem+json"
  static let json = "application/json"

  @Test(
    "every answer has a document of its kind and all headers",
    arguments: [
      Expected("GET", "/page/ok", 200, "text/plain; charset=utf-8"),
      Expected("HEAD", "/page/ok", 200, "text/plain; charset=utf-8"),
      Expected("GET", "/", 404, html),
      Expected("GET", "/nothing", accept: "application/json", 404, problem),
      Expected("GET", "/admin/v1/nothing", accept: "text/html", 404, problem),
      Expected("GET", "/oauth2/nothing", 404, problem),
      Expected("GET", "/oauth2/token", 405, problem),
      Expected("DELETE", "/page/ok", 405, html),
      Expected("PUT", "/admin/v1/things/7", 405, problem),
      Expected("OPTIONS", "/page/ok", 405, html),
      Expected("PROPFIND", "/page/ok", 405, html),
      Expected("GET", "/page/throws", 500, problem),
      Expected("GET", "/page/throws", accept: "text/html,*/*;q=0.8", 500, html),
      Expected("GET", "/page/oauth", 400, html),
      Expected("GET", "/page/oauth", accept: "application/json", 400, problem),
      Expected("GET", "/page/suspended", 503, problem),
      Expected("GET", "/page/suspended", accept: "text/html", 503, html),
      Expected("GET", "/admin/v1/throws", 500, problem),
      Expected("GET", "/admin/v1/query", 400, problem),
      Expected("GET", "/admin/v1/challenge", 401, problem),
      Expected("POST", "/admin/v1/things", 415, problem),
      Expected("POST", "/oauth2/token", 400, json),
      Expected("GET", "/oauth2/throws", 500, json),
      Expected("GET", "/page/http-error", accept: "application/json", 409, problem),
      Expected("POST", "/page/redirect", 303, nil),
      Expected("GET", "/t/gone/hello", 404, html),
      Expected("GET", "/t/acme/hello", 200, "text/plain; charset=utf-8"),
      Expected("GET", "/t/acme/broken", accept: "text/html", 400, html),
    ])
  func answers(_ row: Expected) async throws {
    try await TestServer.run(Self.groups, base: "https://id.example.com") { server in
      let reply = try await server.send(row.method, row.path, [("Accept", row.accept)])
      #expect(reply.status == row.status)
      #expect(reply.header("Content-Type") == row.type)
      #expect(
        reply.header("Content-Security-Policy")
          == "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
          + "frame-ancestors 'none'; base-uri 'none'")
      #expect(reply.header("X-Content-Type-Options") == "nosniff")
      #expect(reply.header("X-Frame-Options") == "DENY")
      #expect(reply.header("Referrer-Policy") == "same-origin")
      #expect(reply.header("Cross-Origin-Resource-Policy") == "same-origin")
      #expect(reply.header("Permissions-Policy") != nil)
      #expect(reply.header("Cache-Control") == "no-store")
      #expect(reply.header("Strict-Transport-Security") == "max-age=63072000")
      #expect(reply.header("Server") == nil)
      #expect(reply.header("X-Request-ID")?.utf8.count == 32)
      #expect(!reply.body.contains("alice@example.com"))
      if row.type == Self.problem { #expect(reply.json?["status"] == .integer(row.status)) }
      if row.status == 405 { #expect(reply.header("Allow")?.isEmpty == false) }
      #expect(server.lines.named("request").count == 1)
    }
  }

  @Test("the log has the whole reason and the id, the client only the id")
  func log() async throws {
    try await TestServer.run(Self.groups) { server in
      let reply = try await server.send(
        "GET", "/t/acme/hello?code=secret", [("X-Request-ID", "given-id-1")])
      #expect(reply.body == "hello acme given-id-1")
      #expect(reply.header("X-Request-ID") == "given-id-1")
      #expect(reply.header("Strict-Transport-Security") == nil)
      let line = try #require(server.lines.named("request").first)
      #expect(line.metadata["request_id"] == "given-id-1")
      #expect(line.metadata["route"] == "/t/{slug}/hello")
      #expect(line.metadata["tenant"] == "acme")
      #expect(line.metadata["status"]?.description == "200")
      #expect(line.metadata["method"] == "GET")
      #expect(line.metadata["duration_us"].flatMap { Int($0.description) }.map { $0 > 0 } == true)
      #expect(!server.lines.text.contains("secret"))

      for bad in [
        "short", "has space in it", "ünsane-id-ünsane", String(repeating: "x", count: 65),
      ] {
        let reply = try await server.send("GET", "/page/ok", [("X-Request-ID", bad)])
        #expect(reply.header("X-Request-ID") != bad)
      }

      _ = try await server.send("GET", "/page/throws")
      let refused = try #require(server.lines.named("refused").last)
      #expect(refused.level == .error)
      #expect(refused.metadata["reason"] == "alice@example.com broke it")
      #expect(refused.metadata["request_id"] != nil)
    }
  }

  @Test("error pages are headed with the organization's name and carry the reference")
  func brand() async throws {
    try await TestServer.run(Self.groups) { server in
      let reply = try await server.send(
        "GET", "/t/acme/broken", [("Accept", "text/html"), ("X-Request-ID", "reference-1")])
      #expect(reply.body.contains("<span class=\"owner\">Acme &lt;&amp;&gt;</span>"))
      #expect(reply.body.contains("<code>reference-1</code>"))
      #expect(reply.body.contains("No."))
      let plain = try await server.send("GET", "/nowhere")
      #expect(plain.body.contains("<span class=\"owner\">Tenure</span>"))
    }
  }

  @Test("the style sheet is found where pages say, and cached")
  func styleSheet() async throws {
    try await TestServer.run([]) { server in
      let page = try await server.send("GET", "/")
      let path = try #require(
        page.body.firstMatch(of: /href="(\/assets\/tenure-[0-9a-f]{16}\.css)"/))
      let reply = try await server.send("GET", String(path.1))
      #expect(reply.status == 200)
      #expect(reply.header("Content-Type") == "text/css; charset=utf-8")
      #expect(reply.header("Cache-Control") == "public, max-age=31536000, immutable")
      #expect(Array(reply.body.utf8) == PackageResources.tenure_css)
    }
  }

  @Test("bodies: created, all mistakes at once, too large, far too large")
  func bodies() async throws {
    try await TestServer.run(Self.groups) { server in
      let type = [("Content-Type", "application/json")]
      let path = "/admin/v1/things"
      let created = try await server.send("POST", path, type, body: "{\"name\":\"x\"}")
      #expect(created.status == 201)
      #expect(created.header("ETag") == "\"v1\"")
      let bad = try await server.send("POST", path, type, body: "{\"name\":1,\"b\":2}")
      #expect(bad.status == 422)
      #expect(
        bad.json?["errors"] == [
          ["field": "name", "message": "must be a string."],
          ["field": "b", "message": "is not known."],
        ])
      let large = String(repeating: "x", count: 5000)
      let tooLarge = try await server.send("POST", path, type, body: large)
      #expect(tooLarge.status == 413)
      #expect(tooLarge.header("Connection") == nil)
      let again = try await server.send("POST", path, type, body: "{\"name\":\"x\"}")
      #expect(again.status == 201)
    }
  }

  @Test("a body nobody reads does not keep the connection busy")
  func endless() async throws {
    try await TestServer.run(Self.groups) { server in
      let reply = try await RawConnection.exchange(
        port: server.port,
        "POST /admin/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          + "Content-Length: 100000000000\r\n\r\n{")
      #expect(reply.hasPrefix("HTTP/1.1 413 "))
      #expect(reply.contains("onnection: close"))
    }
  }

  @Test("a body that breaks off is refused with a document")
  func broken() async throws {
    try await TestServer.run(Self.groups) { server in
      let reply = try await RawConnection.exchange(
        port: server.port,
        "POST /admin/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          + "Transfer-Encoding: chunked\r\n\r\nZZ\r\n")
      #expect(reply.hasPrefix("HTTP/1.1 400 "))
      #expect(reply.contains("Content-Security-Policy: default-src 'none'"))
      #expect(reply.contains("The body could not be read."))
      #expect(server.lines.named("request").count == 1)
    }
  }

  @Test("too large a header is refused")
  func headers() async throws {
    try await TestServer.run(Self.groups) { server in
      let reply = try await RawConnection.exchange(
        port: server.port,
        "GET /page/ok HTTP/1.1\r\nHost: localhost\r\nX-Long: \(String(repeating: "x", count: 70_000))\r\n\r\n"
      )
      #expect(reply.hasPrefix("HTTP/1.1 431 "))
      #expect(reply.contains("Content-Security-Policy: default-src 'none'"))
    }
  }

  @Test("downloads are streamed with their length; a file that is gone is 404")
  func files() async throws {
    let path = FileManager.default.temporaryDirectory.path + "/web-tests-\(UUID().uuidString)"
    let bytes = [UInt8](repeating: 0x61, count: 3 * 1024 * 1024 + 17)
    try Data(bytes).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = StreamedFile(
      path: path, fileName: "a \"b\"\r\nü.zip", contentType: "application/zip")
    let gone = StreamedFile(path: path + "-gone", fileName: "x", contentType: "application/zip")
    let group = EndpointGroup([
      Route(.get, "file") { _, context in try await file.response(in: context) },
      Route(.get, "gone") { _, context in try await gone.response(in: context) },
    ])
    try await TestServer.run([group]) { server in
      let reply = try await server.send("GET", "/file")
      #expect(reply.body.utf8.count == bytes.count)
      #expect(reply.header("Content-Length") == String(bytes.count))
      #expect(reply.header("Content-Disposition") == "attachment; filename=\"a__b___.zip\"")
      let head = try await server.send("HEAD", "/file")
      #expect(head.status == 200 && head.body.isEmpty)
      #expect(head.header("Content-Length") == String(bytes.count))
      #expect(try await server.send("GET", "/gone").status == 404)
    }
  }

  @Test("a taken port is a clear sentence")
  func takenPort() async throws {
    try await TestServer.run([]) { server in
      let second = WebServer(
        settings: .test(port: server.port, base: "http://localhost:8080"),
        pages: try Pages(serverName: "T", []), groups: [], logger: .init(label: "second"),
        clock: .system, lines: nil, tracer: nil, drain: .none, backlog: { .zero },
        generation: { 0 }, translate: { _ in nil }, onListening: { _ in })
      let error = await #expect(throws: ListenError.self) { try await second.run() }
      #expect(
        error?.description
          == "Port \(server.port) on 127.0.0.1 is already in use. "
          + "Stop the program that uses it, or choose another port.")
    }
  }

  @Test("Fetch section 3.2: the OAuth endpoints, and only those, are open to other origins")
  func crossOrigin() async throws {
    try await TestServer.run(Self.groups) { server in
      let origin = ("Origin", "https://spa.example")
      let preflight = try await server.send(
        "OPTIONS", "/oauth2/token", [origin, ("Access-Control-Request-Method", "POST")])
      #expect(preflight.status == 204)
      #expect(preflight.header("Access-Control-Allow-Origin") == "*")
      #expect(preflight.header("Access-Control-Allow-Credentials") == nil)
      #expect(preflight.header("Content-Length") == nil)
      #expect(preflight.header("X-Content-Type-Options") == "nosniff")
      let refused = try await server.send("POST", "/oauth2/token", [origin])
      #expect(refused.status == 400)
      #expect(refused.header("Access-Control-Allow-Origin") == nil)
      #expect(refused.header("Vary") == "Origin")
      let named = try await server.send("GET", "/oauth2/named", [origin])
      #expect(named.header("Access-Control-Allow-Origin") == "https://spa.example")
      #expect(named.header("Access-Control-Allow-Credentials") == nil)
      #expect(named.header("Vary") == "Origin")
      for other in ["https://spa.example.evil.example", "http://spa.example", "null"] {
        let reply = try await server.send("GET", "/oauth2/named", [("Origin", other)])
        #expect(reply.header("Access-Control-Allow-Origin") == nil)
        #expect(reply.header("Vary") == "Origin")
      }
      let published = try await server.send("GET", "/.well-known/nothing", [origin])
      #expect(published.header("Access-Control-Allow-Origin") == "*")
      for path in ["/page/ok", "/admin/v1/challenge", "/nothing"] {
        let reply = try await server.send("GET", path, [origin])
        #expect(reply.header("Access-Control-Allow-Origin") == nil)
        let preflight = try await server.send("OPTIONS", path, [origin])
        #expect(preflight.status >= 400)
      }
    }
  }

  @Test("errors of other modules can be recognised")
  func translation() async throws {
    try await TestServer.run(
      Self.groups,
      translate: { $0 is Unknown ? OAuthError.temporarilyUnavailable("database away") : nil }
    ) { server in
      let reply = try await server.send("GET", "/oauth2/throws")
      #expect(reply.status == 503)
      #expect(reply.json?["error"] == "temporarily_unavailable")
      #expect(reply.header("Retry-After") == "30")
    }
  }
}
