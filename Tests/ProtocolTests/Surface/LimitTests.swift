import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// What a client sees of the rate limits (RFC 6585 section 4, draft-ietf-httpapi-ratelimit-headers).
@Suite("Rate limits", .serialized)
struct LimitTests {
  static let html = [("accept", "text/html")]

  @Test("An organization's own limits: a token endpoint says what is left, then 429 as OAuth error")
  func client() async throws {
    let tenant = try await Harness.shared().tenant()
    let application = try await tenant.application([
      "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [],
    ])
    let other = try await tenant.application([
      "grant_types": ["client_credentials"], "response_types": [], "redirect_uris": [],
    ])
    try await tenant.set(["limit_client": "2/m:3"])
    let form = [("grant_type", "client_credentials")]
    let endpoint = "\(tenant.issuer)/oauth2/token"
    var replies: [Reply] = []
    for _ in 0..<4 {
      replies.append(try await HTTP.post(form: form, to: endpoint, headers: [application.basic]))
    }
    #expect(replies.map(\.status) == [200, 200, 200, 429])
    #expect(
      replies.map { $0.headers.first(name: "ratelimit") ?? "" }.map { $0.prefix(12) }
        == ["\"client\";r=2", "\"client\";r=1", "\"client\";r=0", "\"client\";r=0"])
    let refused = try #require(replies.last)
    #expect(refused.headers.first(name: "ratelimit-policy") == "\"client\";q=3;w=90")
    #expect((1...30).contains(refused.headers.first(name: "retry-after").flatMap(Int.init) ?? 0))
    #expect(refused.json["error"]?.stringValue == "temporarily_unavailable")
    #expect(refused.json["error_description"]?.stringValue?.hasPrefix("Too many requests.") == true)

    // Another client has its own, and nobody uses up a client's permits without its secret.
    let second = try await HTTP.post(form: form, to: endpoint, headers: [other.basic])
    #expect(second.status == 200)
    for _ in 0..<5 {
      let forged = TestApplication(id: other.id, secret: "wrong", redirectURI: "")
      let reply = try await HTTP.post(form: form, to: endpoint, headers: [forged.basic])
      #expect(reply.status == 401)
    }
    #expect(try await HTTP.post(form: form, to: endpoint, headers: [other.basic]).status == 200)
  }

  @Test("A browser gets a page, a program a problem document, and published documents are free")
  func forms() async throws {
    let tenant = try await Harness.shared().tenant()
    try await tenant.set(["limit_address": "1/m:2"])
    for _ in 0..<2 { _ = try await HTTP.get("\(tenant.issuer)/login", headers: Self.html) }
    let page = try await HTTP.get("\(tenant.issuer)/login", headers: Self.html)
    #expect(page.status == 429)
    #expect(page.contentType == "text/html; charset=utf-8")
    #expect(page.text.contains("Too many requests."))
    #expect(page.headers.first(name: "retry-after") != nil)
    let problem = try await HTTP.get(
      "\(tenant.issuer)/login", headers: [("accept", "application/json")])
    #expect(problem.status == 429)
    #expect(problem.contentType == "application/problem+json")
    #expect(problem.json["type"]?.stringValue == "urn:tenure:problem:too-many-requests")
    #expect(problem.json["violated-policies"] == ["address"])
    let error = try await HTTP.post(
      form: [("token", "x")], to: "\(tenant.issuer)/oauth2/introspect")
    #expect(error.status == 429)
    #expect(error.json["error"]?.stringValue == "temporarily_unavailable")
    for path in ["openid-configuration", "jwks.json"] {
      let reply = try await HTTP.get("\(tenant.issuer)/.well-known/\(path)")
      #expect(reply.status == 200)
      #expect(reply.headers.first(name: "ratelimit") == nil)
    }
    // Limits of one organization are no other's.
    let neighbour = try await Harness.shared().tenant()
    #expect(try await HTTP.get("\(neighbour.issuer)/login").status == 200)
  }

  @Test("All requests to an organization have a limit, which is no other's and can be lifted")
  func organization() async throws {
    let tenant = try await Harness.shared().tenant()
    let neighbour = try await Harness.shared().tenant()
    try await tenant.set(["limit_tenant": "1/m:2"])
    for expected in [200, 200, 429] {
      let reply = try await HTTP.get("\(tenant.issuer)/login")
      #expect(reply.status == expected)
      // What others do at an organization is nobody's business.
      #expect(reply.headers.first(name: "ratelimit") == nil)
    }
    let error = try await HTTP.post(form: [("token", "x")], to: "\(tenant.issuer)/oauth2/revoke")
    #expect(error.status == 429)
    for _ in 0..<5 { #expect(try await HTTP.get("\(neighbour.issuer)/login").status == 200) }
    try await tenant.set(["limit_tenant": "off"])
    for _ in 0..<5 { #expect(try await HTTP.get("\(tenant.issuer)/login").status == 200) }
  }

  @Test("Sign-ins have a limit by address and one by account, also with the right password")
  func signIn() async throws {
    let tenant = try await Harness.shared().tenant()
    let person = try await tenant.person()
    let neighbour = try await tenant.person()
    try await tenant.set(["limit_user": "1/m:2"])
    for expected in [200, 200, 429] {
      let reply = try await tenant.signIn(person, with: Browser()).reply
      #expect(reply.status == expected)
      // What others do at an account is nobody's business.
      #expect(reply.headers.first(name: "ratelimit")?.contains("user") != true)
    }
    #expect(try await tenant.signIn(neighbour, with: Browser()).reply.status == 200)
    try await tenant.set(["limit_sign_in": "1/m:1"])
    #expect(try await tenant.signIn(neighbour, with: Browser()).reply.status == 200)
    let refused = try await tenant.signIn(neighbour, with: Browser()).reply
    #expect(refused.status == 429)
    #expect(refused.headers.first(name: "ratelimit")?.contains("\"sign-in\";r=0") == true)
  }

  @Test("The administrative API has a limit for each operator")
  func administration() async throws {
    let deployment = try await Deployment()
    let server = try await deployment.serve(
      roles: "control,runtime", environment: ["TENURE_LIMIT_OPERATOR": "1/m:2"])
    let token = try await deployment.admin.accessToken()
    var statuses: [Int] = []
    var last: Reply?
    for _ in 0..<3 {
      last = try await HTTP.get(
        "\(deployment.baseURL)/admin/v1/organizations",
        headers: [("authorization", "Bearer \(token)")])
      statuses.append(last?.status ?? 0)
    }
    #expect(statuses == [200, 200, 429])
    #expect(last?.contentType == "application/problem+json")
    #expect(last?.headers.first(name: "ratelimit-policy") == "\"operator\";q=2;w=120")
    try await server.end(SIGTERM)
  }

  @Test("An organization's limits are validated like every setting")
  func settings() async throws {
    let tenant = try await Harness.shared().tenant()
    for bad in ["", "10", "10/h:5", "0/s:1", "OFF"] as [JSON] + [10, true, ["1/s:1"]] {
      let reply = try await tenant.admin.call(
        .PATCH, tenant.path, ["settings": ["limit_client": bad]])
      #expect(reply.status == 422, "\(bad.text)")
      #expect(reply.text.contains("settings.limit_client"))
    }
    try await tenant.set(["limit_client": "off", "limit_tenant": "5/s:5"])
    let document = try await tenant.admin.document(.GET, tenant.path)
    #expect(document["settings"]?["limit_client"]?.stringValue == "off")
    try await tenant.set(["limit_tenant": .null])
    let without = try await tenant.admin.document(.GET, tenant.path)
    #expect(without["settings"]?["limit_tenant"] == nil)
  }
}

extension TestTenant {
  /// Changes settings of the organization.
  func set(_ settings: JSON) async throws {
    try await admin.document(.PATCH, path, ["settings": settings])
  }
}
