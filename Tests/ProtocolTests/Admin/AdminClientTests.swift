import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("/admin/v1/organizations/{id}/clients (RFC 7591, RFC 7592)")
struct AdminClientTests {
  let harness: Harness
  var admin: AdminCredentials { harness.admin }

  init() async throws {
    harness = try await Harness.shared()
  }

  private let metadata: JSON = [
    "client_name": "Web", "redirect_uris": ["https://app.example.org/callback"],
    "grant_types": ["authorization_code", "refresh_token"], "scope": "openid email",
  ]

  @Test("A client is shown with its secret once")
  func create() async throws {
    let tenant = try await harness.tenant()
    let reply = try await admin.call(.POST, "\(tenant.path)/clients", metadata)
    #expect(reply.status == 201, "\(reply)")
    let id = try #require(reply.json["client_id"]?.stringValue)
    let secret = try #require(reply.json["client_secret"]?.stringValue)
    #expect(reply.json["client_secret_expires_at"] == 0)
    for (name, value) in metadata.objectValue ?? [:] { #expect(reply.json[name] == value) }
    let found = try await admin.call(.GET, "\(tenant.path)/clients/\(id)")
    #expect(found.status == 200 && found.json["client_secret"] == nil)
    let list = try await admin.call(.GET, "\(tenant.path)/clients")
    #expect(list.status == 200 && !list.text.contains(secret))
    #expect(list.json["clients"]?.arrayValue?.count == 1)
  }

  @Test("A disabled client and its tokens are refused, everywhere and at once, until it is enabled")
  func disable() async throws {
    let visit = try await LogoutVisit(harness, scope: "openid offline_access")
    let (tenant, request) = (visit.tenant, visit.request)
    let one = "\(tenant.path)/clients/\(request.application.id)"
    #expect(try await admin.document(.GET, one)["status"] == "active")
    #expect(try await admin.document(.POST, "\(one)/disable")["status"] == "disabled")
    let list = try await admin.document(.GET, "\(tenant.path)/clients")
    #expect(list["clients"]?.arrayValue?.first?["status"] == "disabled")
    let refresh = try #require(visit.tokens["refresh_token"]?.stringValue)
    #expect(try await request.refresh(refresh).json["error"] == "invalid_client")
    #expect(try await tenant.userinfo(visit.tokens["access_token"]).status == 401)
    let page = try await visit.browser.get(request.url)
    #expect(page.status == 400 && page.location == nil)
    // Nobody is sent back to it either.
    let question = try await visit.logout([
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", LogoutVisit.goodbye),
    ])
    #expect(question.status == 200 && question.text.contains("id=\"submit\""))

    let shown = try await admin.document(.GET, one)
    let replaced = try await admin.call(.PUT, one, shown, headers: [("if-match", "*")])
    #expect(replaced.status == 200 && replaced.json["status"] == "disabled", "\(replaced)")
    #expect(try await admin.document(.POST, "\(one)/enable")["status"] == "active")
    #expect(try await request.refresh(refresh).status == 200)
    #expect(try await admin.call(.POST, "\(tenant.path)/clients/nobody/disable").isProblem(404))
    #expect(try await tenant.events("client.updated").count == 2)
  }

  @Test("An Idempotency-Key gives the same secret again, and the secret works")
  func idempotency() async throws {
    let tenant = try await harness.tenant()
    let body: JSON = ["grant_types": ["client_credentials"], "response_types": [], "scope": "x"]
    let key = [("idempotency-key", UUID().uuidString)]
    let replies = try await withThrowingTaskGroup(of: Reply.self) { tasks in
      for _ in 0..<4 {
        tasks.addTask { try await admin.call(.POST, "\(tenant.path)/clients", body, headers: key) }
      }
      return try await tasks.reduce(into: []) { $0.append($1) }
    }
    #expect(replies.allSatisfy { $0.status == 201 })
    #expect(Set(replies.map(\.json)).count == 1)
    let reply = try #require(replies.first)
    let id = try #require(reply.json["client_id"]?.stringValue)
    let secret = try #require(reply.json["client_secret"]?.stringValue)
    let token = try await HTTP.post(
      form: [("grant_type", "client_credentials")], to: "\(tenant.issuer)/oauth2/token",
      headers: [TestApplication(id: id, secret: secret, redirectURI: "").basic])
    #expect(token.status == 200, "\(token)")
    let dump = try TestServices.psql(
      "select encode(sealed_secret, 'escape') from control.idempotency_key where resource_id = '\(id)'",
      at: harness.deployment.databaseURL)
    #expect(!dump.isEmpty && !dump.contains(secret))
  }

  @Test(
    "What is wrong is said for every field at once",
    arguments: [
      InvalidBody(["redirect_uris": ["http://app.example.org"]], ["redirect_uris"]),
      InvalidBody(
        ["redirect_uris": ["https://a.example/*", "https://a.example/#x"]], ["redirect_uris"]),
      InvalidBody(
        ["grant_types": ["password"], "redirect_uris": ["https://a.example"]], ["grant_types"]),
      InvalidBody(
        ["client_name": 1, "nonsense": 1, "redirect_uris": "x"],
        ["client_name", "nonsense", "redirect_uris"]),
      InvalidBody([:], ["redirect_uris"]),
    ])
  func invalid(_ bad: InvalidBody) async throws {
    let tenant = try await harness.tenant()
    let reply = try await admin.call(.POST, "\(tenant.path)/clients", bad.body)
    #expect(reply.isProblem(422) && bad.fields.isSubset(of: reply.problemFields), "\(reply)")
    #expect(try await admin.document(.GET, "\(tenant.path)/clients")["clients"] == [])
  }

  @Test("PATCH merges, PUT replaces, and both need the version they are based on")
  func update() async throws {
    let tenant = try await harness.tenant()
    let made = try await admin.call(.POST, "\(tenant.path)/clients", metadata)
    let id = try #require(made.json["client_id"]?.stringValue)
    let path = "\(tenant.path)/clients/\(id)"
    let etag = try #require(made.header("etag"))
    let patched = try await admin.call(
      .PATCH, path, ["client_name": "Renamed"], headers: [("if-match", etag)])
    #expect(patched.status == 200 && patched.json["client_name"] == "Renamed", "\(patched)")
    #expect(patched.json["scope"] == "openid email" && patched.json["client_secret"] == nil)
    #expect(
      try await admin.call(.PATCH, path, ["client_name": "x"], headers: [("if-match", etag)])
        .isProblem(412))
    let replaced = try await admin.call(
      .PUT, path, ["client_id": .string(id), "redirect_uris": ["https://b.example/callback"]])
    #expect(replaced.status == 200 && replaced.json["client_name"] == nil, "\(replaced)")
    let foreign = try await admin.call(
      .PUT, path, ["client_id": "other", "redirect_uris": ["https://b.example/callback"]])
    #expect(foreign.isProblem(422) && foreign.problemFields == ["client_id"])
  }

  @Test("A new secret voids the old one")
  func rotate() async throws {
    let tenant = try await harness.tenant()
    let old = try await tenant.application([
      "grant_types": ["client_credentials"], "redirect_uris": [], "response_types": [],
      "scope": "x",
    ])
    let reply = try await admin.call(.POST, "\(tenant.path)/clients/\(old.id)/secret")
    #expect(reply.status == 200, "\(reply)")
    let secret = try #require(reply.json["client_secret"]?.stringValue)
    let renewed = TestApplication(id: old.id, secret: secret, redirectURI: "")
    for (application, status) in [(old, 401), (renewed, 200)] {
      let token = try await HTTP.post(
        form: [("grant_type", "client_credentials")], to: "\(tenant.issuer)/oauth2/token",
        headers: [application.basic])
      #expect(token.status == status, "\(token)")
    }
    let spa = try await tenant.application(["token_endpoint_auth_method": "none"])
    #expect(spa.secret == nil)
    #expect(try await admin.call(.POST, "\(tenant.path)/clients/\(spa.id)/secret").isProblem(409))
  }

  @Test("A deleted client is gone, and with it what it was granted")
  func delete() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    let application = try await tenant.application()
    let tokens = try await AuthorizationRequest(tenant, application).tokens(person)
    let path = "\(tenant.path)/clients/\(application.id)"
    #expect(try await admin.call(.DELETE, path).status == 204)
    #expect(try await admin.call(.GET, path).isProblem(404))
    #expect(try await admin.call(.DELETE, path).isProblem(404))
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    #expect(try await AuthorizationRequest(tenant, application).refresh(refresh).status == 401)
  }
}
