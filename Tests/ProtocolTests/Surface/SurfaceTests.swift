import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// Every address the server has, as the server itself lists them.
///
/// A new endpoint is in this test from the moment it is mounted.
@Suite("Every endpoint, whoever asks and whatever they send")
struct SurfaceTests {
  /// A method and a path, with something in place of each parameter.
  struct Route: Sendable {
    let method: HTTPMethod
    let template: String
    let path: String
  }

  static let marker = "zq7markerzq7"
  static let hostile = "%3Cscript%3E\(marker)%3C%2Fscript%3E%22%27"

  /// What the server has mounted, with what is known in place of parameters by their names, and something for every other.
  static func routes(
    _ deployment: Deployment, known: [String: String], parameter: String
  ) async throws -> [Route] {
    let process = try await TenureProcess(
      ["routes"], environment: deployment.environment, folder: deployment.folder)
    #expect(try await process.wait() == 0)
    return try process.printed().split(separator: "\n").map { line in
      let parts = line.split(separator: " ")
      try #require(parts.count == 2, "\(line)")
      let segments = parts[1].split(separator: "/").map { segment -> String in
        guard segment.hasPrefix("{") else { return String(segment) }
        return known[String(segment.dropFirst().dropLast())] ?? parameter
      }
      return Route(
        method: HTTPMethod(rawValue: String(parts[0])), template: String(line),
        path: "/" + segments.joined(separator: "/"))
    }
  }

  struct Visitor: Sendable, CustomTestStringConvertible {
    enum Identity { case nobody, person, operatorOfTheSystem }

    let testDescription: String
    let identity: Identity
    /// Routes that answer this visitor's GET with 200, so that the walk is known to come through.
    let reaches: [String]
    let headers: [(String, String)]
    let parameter: String
    let query: String
    let body: String?

    init(
      _ name: String, _ identity: Identity = .nobody, reaches: [String] = [],
      headers: [(String, String)] = [], parameter: String = UUID().uuidString,
      query: String = "", body: String? = nil
    ) {
      testDescription = name
      self.identity = identity
      self.reaches = reaches
      self.headers = headers
      self.parameter = parameter
      self.query = query
      self.body = body
    }

    /// An operator changes nothing here: the organization is still to be asked for the rest.
    var methods: [HTTPMethod] {
      let reading: [HTTPMethod] = [.GET, .HEAD, .OPTIONS, .TRACE]
      return identity == .operatorOfTheSystem
        ? reading : reading + [.POST, .PUT, .PATCH, .DELETE]
    }

    func credentials(_ tenant: TestTenant) async throws -> [(String, String)] {
      switch identity {
      case .nobody: return []
      case .operatorOfTheSystem:
        return [("authorization", "Bearer \(try await tenant.admin.accessToken())")]
      case .person:
        let browser = Browser()
        _ = try await tenant.signIn(tenant.person(), with: browser)
        return [("cookie", try #require(browser.cookieHeader(for: "\(tenant.issuer)/")))]
      }
    }
  }

  static let visitors = [
    Visitor(
      "a browser",
      reaches: ["/t/{slug}/login", "/t/{slug}/oidc/session", "/t/{slug}/.well-known/jwks.json"],
      headers: [("accept", "text/html")]),
    Visitor(
      "somebody who is signed in", .person,
      reaches: [
        "/t/{slug}/privacy", "/t/{slug}/account/sessions", "/t/{slug}/device",
        "/t/{slug}/oidc/logout",
      ],
      headers: [("accept", "text/html")]),
    Visitor(
      "an operator", .operatorOfTheSystem,
      reaches: [
        "/admin/v1/organizations/{organization}", "/admin/v1/organizations/{organization}/users",
        "/admin/v1/jobs",
      ]),
    Visitor("a program", headers: [("accept", "application/json")]),
    Visitor(
      "markup everywhere",
      headers: [
        ("accept", "text/html"), ("authorization", "Bearer \(marker)<script>"),
        ("cookie", "tenure_session=\(marker); tenure_form=\(marker)<script>"),
        ("x-forwarded-host", "\(marker).example"), ("forwarded", "host=\(marker).example"),
        ("referer", "https://\(marker).example/"), ("user-agent", marker),
        ("content-type", "application/x-www-form-urlencoded"),
      ],
      parameter: hostile, query: hostileQuery, body: hostileQuery),
    Visitor(
      "bytes that mean nothing",
      headers: [
        ("content-type", "application/json"), ("authorization", "Basic !!!"),
        ("if-match", "\"\u{fffd}"), ("idempotency-key", String(repeating: "k", count: 5000)),
        ("accept", marker), ("origin", "https://\(marker).example"),
      ],
      parameter: "%00%ff%2e%2e%2f", query: "limit=-1&cursor=%ff&\(marker)", body: "{\"a\":[[[[\u{0}"
    ),
    Visitor(
      "a script of a foreign site",
      headers: [
        ("origin", "https://\(marker).example"), ("sec-fetch-site", "cross-site"),
        ("content-type", "application/x-www-form-urlencoded"),
      ], body: "client_id=x&grant_type=client_credentials&csrf=x"),
  ]

  static let hostileQuery =
    "\(hostile)=\(hostile)&client_id=\(hostile)&redirect_uri=https%3A%2F%2F\(marker).example"
    + "&continue=https%3A%2F%2F\(marker).example&state=\(hostile)&scope=\(hostile)&token=\(hostile)"
    + "&post_logout_redirect_uri=https%3A%2F%2F\(marker).example&id_token_hint=\(hostile)"
    + "&username=x&password=y&grant_type=\(hostile)&code=\(hostile)&ticket=\(hostile)"

  @Test(
    "has the headers, leaks and reflects nothing, sends nobody away and never breaks",
    arguments: visitors)
  func walk(_ visitor: Visitor) async throws {
    let harness = try await Harness.shared()
    let tenant = try await harness.tenant()
    let deployment = harness.deployment
    let mounted = try await Self.routes(
      deployment, known: ["slug": tenant.slug, "organization": tenant.id],
      parameter: visitor.parameter)
    let headers = try await visitor.headers + visitor.credentials(tenant)
    var reached: Set<String> = []
    // Whatever is mounted: at least what the platform can't be without.
    #expect(mounted.count > 40)
    for path in Set(mounted.map(\.path)) {
      for method in visitor.methods {
        let hasBody = ![.GET, .HEAD, .OPTIONS, .TRACE].contains(method)
        let reply = try await HTTP.send(
          method, deployment.baseURL + path + (visitor.query.isEmpty ? "" : "?" + visitor.query),
          headers: headers, body: hasBody ? visitor.body.map { Array($0.utf8) } : nil)
        Self.check(reply, "\(method.rawValue) \(path)", path)
        if method == .GET, reply.status == 200 { reached.insert(path) }
      }
    }
    for template in visitor.reaches {
      let route = try #require(mounted.first { $0.template == "GET \(template)" }, "\(template)")
      #expect(reached.contains(route.path), "\(template)")
    }
  }

  static func check(_ reply: Reply, _ name: String, _ path: String) {
    let header = { reply.headers.first(name: $0) }
    #expect(reply.status < 500, "\(name): \(reply)")
    let policy = header("content-security-policy") ?? ""
    // The one page that is made for the frames of applications (OpenID Connect Session Management section 3.2).
    let isFramed = path.hasSuffix("/oidc/session") && reply.status == 200
    let ancestors = isFramed ? "frame-ancestors *" : "frame-ancestors 'none'"
    for directive in ["default-src 'none'", ancestors, "base-uri 'none'"] {
      #expect(policy.contains(directive), "\(name): \(policy)")
    }
    #expect(policy.contains("script-src") == isFramed, "\(name): \(policy)")
    #expect(policy.contains("script-src 'sha256-") == isFramed, "\(name): \(policy)")
    #expect(!policy.contains("unsafe"), "\(name): \(policy)")
    #expect(header("x-frame-options") == (isFramed ? nil : "DENY"), "\(name)")
    #expect(header("x-content-type-options") == "nosniff", "\(name)")
    #expect(header("referrer-policy") == "same-origin", "\(name)")
    #expect(
      header("cross-origin-resource-policy") == (isFramed ? "cross-origin" : "same-origin"),
      "\(name)")
    #expect(header("permissions-policy") != nil, "\(name)")
    #expect(header("x-request-id") != nil, "\(name)")
    #expect(header("server") == nil && header("x-powered-by") == nil, "\(name)")
    checkCaching(reply, name)
    checkCookies(reply, name)
    checkOrigins(reply, name, path)
    if let location = header("location") {
      #expect(!location.contains(marker + ".example"), "\(name) redirects to \(location)")
    }
    let isMarkup = header("content-type")?.contains("html") == true
    let scripts = reply.text.components(separatedBy: "<script>").count - 1
    #expect(!isMarkup || scripts <= (isFramed ? 1 : 0), "\(name) reflects markup")
    for field in reply.headers
    where !["location", "x-request-id"].contains(field.name.lowercased()) {
      #expect(!field.value.contains(marker), "\(name) reflects in \(field)")
    }
  }

  /// Only what is the same for everybody may be kept (RFC 9111 section 5.2.2.5).
  private static func checkCaching(_ reply: Reply, _ name: String) {
    let caching = reply.headers.first(name: "cache-control") ?? ""
    let isPublic = caching.hasPrefix("public, ")
    #expect(caching == "no-store" || isPublic, "\(name): \(caching)")
    if isPublic {
      #expect(reply.headers["set-cookie"].isEmpty, "\(name)")
      for secret in ["access_token", "refresh_token\":", "client_secret\":", "csrf"] {
        #expect(!reply.text.contains("\"\(secret)\":"), "\(name) lets \(secret) be kept")
      }
    }
  }

  private static func checkCookies(_ reply: Reply, _ name: String) {
    for cookie in reply.headers["set-cookie"] {
      let parts = cookie.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
      // The page in the frames of applications reads the browser's state (OpenID Connect Session Management section 3.2).
      let isReadable = cookie.hasPrefix("tenure_browser_state=")
      #expect(parts.contains("HttpOnly") == !isReadable, "\(name): \(cookie)")
      #expect(parts.contains("SameSite=Lax"), "\(name): \(cookie)")
      #expect(!parts.contains { $0.hasPrefix("Domain") }, "\(name): \(cookie)")
    }
    // Every form we show carries the token that only we can make.
    for form in Browser.forms(reply.text) where form.method.lowercased() == "post" {
      #expect(form.values.contains { $0.0 == "csrf" && !$0.1.isEmpty }, "\(name): \(form.html)")
    }
  }

  private static func checkOrigins(_ reply: Reply, _ name: String, _ path: String) {
    let allowed = reply.headers.first(name: "access-control-allow-origin")
    let isPublished = path.contains("/.well-known/")
    let isPreflight = name.hasPrefix("OPTIONS")
    #expect(allowed == nil || allowed == "*" && (isPublished || isPreflight), "\(name)")
    #expect(reply.headers.first(name: "access-control-allow-credentials") == nil, "\(name)")
  }

  @Test("Over https cookies have the prefixes browsers enforce, and browsers stay on https")
  func secure() async throws {
    let deployment = try await Deployment()
    let server = try await deployment.serve(
      roles: "control,runtime",
      environment: ["TENURE_BASE_URL": "https://id.example.com", "TENURE_HTTP_HOSTS": "localhost"])
    let issuer = "\(deployment.baseURL)/t/system"
    let page = try await HTTP.get("\(issuer)/login", headers: [("host", "id.example.com")])
    #expect(page.status == 200)
    #expect(page.headers.first(name: "strict-transport-security") == "max-age=63072000")
    let cookies = page.headers["set-cookie"]
    #expect(!cookies.isEmpty)
    for cookie in cookies {
      #expect(cookie.hasPrefix("__Host-") || cookie.hasPrefix("__Secure-"), "\(cookie)")
      #expect(cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "\(cookie)")
    }
    // No address comes from the request.
    let metadata = try await HTTP.get(
      "\(issuer)/.well-known/openid-configuration",
      headers: [
        ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example;proto=http"),
      ])
    #expect(metadata.json["issuer"]?.stringValue == "https://id.example.com/t/system")
    #expect(!metadata.text.contains("evil") && !metadata.text.contains("localhost"))
    let foreign = try await HTTP.get("\(issuer)/login", headers: [("host", "evil.example")])
    #expect(foreign.status == 421)
    try await server.end(SIGTERM)
  }

  @Test("Fetch section 3.2: an answer can be read by the origins of the client it is for")
  func crossOrigin() async throws {
    let tenant = try await Harness.shared().tenant()
    let application = try await tenant.application([
      "token_endpoint_auth_method": "none", "allowed_origins": ["https://spa.example.org"],
    ])
    let form = [
      ("grant_type", "refresh_token"), ("client_id", application.id), ("refresh_token", "x"),
    ]
    let endpoint = "\(tenant.issuer)/oauth2/token"
    for (origin, isAllowed) in [
      ("https://spa.example.org", true), ("https://app.example.org", true),
      ("https://evil.example.org", false), ("http://app.example.org", false), ("null", false),
    ] {
      let reply = try await HTTP.post(form: form, to: endpoint, headers: [("origin", origin)])
      #expect(reply.status == 400)
      #expect(
        reply.headers.first(name: "access-control-allow-origin") == (isAllowed ? origin : nil))
      #expect(reply.headers.first(name: "vary") == "Origin")
    }
    let person = try await tenant.person()
    let tokens = try await AuthorizationRequest(tenant, application).tokens(person)
    let token = try #require(tokens["access_token"]?.stringValue)
    let userInfo = try await HTTP.get(
      "\(tenant.issuer)/oidc/userinfo",
      headers: [("authorization", "Bearer \(token)"), ("origin", "https://spa.example.org")])
    #expect(userInfo.status == 200)
    #expect(
      userInfo.headers.first(name: "access-control-allow-origin") == "https://spa.example.org")
    for bad in [
      "https://spa.example.org/", "https://Spa.example.org", "http://spa.example.org", "*", "null",
      "https://spa.example.org:443", "https://a@spa.example.org", "spa.example.org",
    ] {
      let reply = try await tenant.admin.call(
        .PATCH, "\(tenant.path)/clients/\(application.id)", ["allowed_origins": [.string(bad)]])
      #expect(reply.status == 422, "\(bad)")
    }
  }
}
