import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("/admin/v1/organizations")
struct AdminOrganizationTests {
  let harness: Harness
  var admin: AdminCredentials { harness.admin }

  init() async throws {
    harness = try await Harness.shared()
  }

  @Test("An organization is created, found by id and slug, and serves at once")
  func create() async throws {
    let slug = unique("org")
    let reply = try await admin.call(
      .POST, "organizations",
      ["slug": .string(slug), "name": "Acme", "settings": ["access_token_lifetime_seconds": 120]])
    #expect(reply.status == 201, "\(reply)")
    let id = try #require(reply.json["id"]?.stringValue)
    let issuer = try #require(reply.json["issuer"]?.stringValue)
    #expect(reply.location == "/admin/v1/organizations/\(id)")
    #expect(reply.header("etag") != nil)
    #expect(reply.json["slug"]?.stringValue == slug && reply.json["status"] == "active")
    #expect(issuer == "\(admin.baseURL)/t/\(slug)")
    #expect(reply.json["settings"]?["access_token_lifetime_seconds"] == 120)
    for name in [id, slug] {
      let found = try await admin.call(.GET, "organizations/\(name)")
      #expect(found.status == 200 && found.json == reply.json)
    }
    let discovery = try await HTTP.get("\(issuer)/.well-known/openid-configuration")
    #expect(discovery.status == 200 && discovery.json["issuer"]?.stringValue == issuer)
    let keys = try await HTTP.get("\(issuer)/.well-known/jwks.json")
    #expect((keys.json["keys"]?.arrayValue ?? []).count == 2)
  }

  @Test(
    "What is wrong is said for every field at once",
    arguments: [
      InvalidBody(["slug": "A", "name": ""], ["slug", "name"]),
      InvalidBody(["slug": "admin", "name": "x", "x": 1], ["slug", "x"]),
      InvalidBody(["name": "x", "settings": ["nope": 1]], ["slug", "settings.nope"]),
    ])
  func invalid(_ bad: InvalidBody) async throws {
    let reply = try await admin.call(.POST, "organizations", bad.body)
    #expect(reply.isProblem(422) && reply.problemFields == bad.fields, "\(reply)")
  }

  @Test("A slug that is taken is a conflict")
  func duplicate() async throws {
    let tenant = try await harness.tenant()
    let reply = try await admin.call(
      .POST, "organizations", ["slug": .string(tenant.slug), "name": "Again"])
    #expect(reply.isProblem(409) && reply.problemFields == ["slug"])
  }

  @Test("The same Idempotency-Key gives the same answer, with another body none")
  func idempotency() async throws {
    let body: JSON = ["slug": .string(unique("idem")), "name": "Once"]
    let key = [("idempotency-key", UUID().uuidString)]
    let replies = try await withThrowingTaskGroup(of: Reply.self) { tasks in
      for _ in 0..<4 {
        tasks.addTask { try await admin.call(.POST, "organizations", body, headers: key) }
      }
      return try await tasks.reduce(into: []) { $0.append($1) }
    }
    #expect(replies.allSatisfy { $0.status == 201 }, "\(replies.map(\.status))")
    #expect(Set(replies.map(\.json)).count == 1)
    let other = try await admin.call(
      .POST, "organizations", ["slug": .string(unique("idem")), "name": "Twice"], headers: key)
    #expect(other.isProblem(422))
    for bad in ["", String(repeating: "x", count: 256), "a b"] {
      let refused = try await admin.call(
        .POST, "organizations", body, headers: [("idempotency-key", bad)])
      #expect(bad.isEmpty ? refused.status >= 400 : refused.isProblem(400), "\(refused)")
    }
  }

  @Test("The list comes in pages, without a repeat or a gap")
  func pages() async throws {
    var made: Set<String> = []
    for _ in 0..<3 { made.insert(try await harness.tenant().id) }
    var seen: [String] = []
    var cursor = ""
    repeat {
      let page = try await admin.document(.GET, "organizations?limit=2\(cursor)")
      let items = try #require(page["organizations"]?.arrayValue)
      #expect(items.count <= 2)
      seen += items.compactMap { $0["id"]?.stringValue }
      cursor = page["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
    } while !cursor.isEmpty
    #expect(Set(seen).count == seen.count && made.isSubset(of: seen))
    let suspended = try await admin.document(.GET, "organizations?status=suspended")
    #expect(
      suspended["organizations"]?.arrayValue?.allSatisfy { $0["status"] == "suspended" } == true)
  }

  @Test("A change needs the version it is based on")
  func update() async throws {
    let tenant = try await harness.tenant()
    let before = try await admin.call(.GET, tenant.path)
    let etag = try #require(before.header("etag"))
    let changed = try await admin.call(
      .PATCH, tenant.path, ["name": "Renamed", "settings": ["language": "de"]],
      headers: [("if-match", etag)])
    #expect(changed.status == 200 && changed.json["name"] == "Renamed", "\(changed)")
    #expect(changed.json["settings"]?["language"] == "de")
    #expect(changed.header("etag") != etag)
    let stale = try await admin.call(
      .PATCH, tenant.path, ["name": "Lost"], headers: [("if-match", etag)])
    #expect(stale.isProblem(412))
    let same = try await admin.call(.PATCH, tenant.path, ["name": "Renamed"])
    #expect(same.header("etag") == changed.header("etag"))
    let slug = try await admin.call(.PATCH, tenant.path, ["slug": "other-name"])
    #expect(slug.isProblem(422) && slug.problemFields == ["slug"])
  }

  @Test("A suspended organization answers 503 until it is resumed")
  func suspend() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application([
      "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "x",
    ])
    let suspended = try await admin.call(.POST, "\(tenant.path)/suspend")
    #expect(suspended.status == 200 && suspended.json["status"] == "suspended", "\(suspended)")
    let page = try await HTTP.get("\(tenant.issuer)/privacy")
    #expect(page.status == 503)
    let token = try await HTTP.post(
      form: [("grant_type", "client_credentials")], to: "\(tenant.issuer)/oauth2/token",
      headers: [application.basic])
    #expect(token.status == 503 && token.json["error"] == "temporarily_unavailable", "\(token)")
    // Administrators still reach it.
    #expect(try await admin.call(.GET, "\(tenant.path)/users").status == 200)
    let resumed = try await admin.call(.POST, "\(tenant.path)/resume")
    #expect(resumed.status == 200 && resumed.json["status"] == "active")
    let again = try await HTTP.post(
      form: [("grant_type", "client_credentials")], to: "\(tenant.issuer)/oauth2/token",
      headers: [application.basic])
    #expect(again.status == 200, "\(again)")
  }

  @Test("A deleted organization is gone at once, and with all it had")
  func delete() async throws {
    let tenant = try await harness.tenant()
    _ = try await tenant.person()
    let deleted = try await admin.call(.DELETE, tenant.path)
    #expect(deleted.status == 202 && deleted.json["status"] == "deleting", "\(deleted)")
    #expect(try await HTTP.get("\(tenant.issuer)/.well-known/openid-configuration").status == 404)
    #expect(try await admin.call(.GET, "\(tenant.path)/users").isProblem(404))
    for _ in 0..<600 {
      if try await admin.document(.GET, tenant.path)["status"] == "deleted" { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try await admin.document(.GET, tenant.path)["status"] == "deleted")
    let schema = "t_%"
    let left = try TestServices.psql(
      """
      select count(*) from pg_namespace n where nspname like '\(schema)' and not exists
        (select from control.organization o where o.schema_name = n.nspname and o.status <> 'deleted')
        and not exists (select from control.spare_schema s where s.name = n.nspname)
      """, at: harness.deployment.databaseURL)
    #expect(left.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
    let again = try await admin.call(
      .POST, "organizations", ["slug": .string(tenant.slug), "name": "Next"])
    #expect(again.status == 201)
  }

  @Test("A request that overtakes the news of a deletion finds nothing")
  func deletedMeanwhile() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application()
    let role = try TestServices.psql(
      "select schema_name from control.organization where slug = '\(tenant.slug)'",
      at: harness.deployment.databaseURL
    ).trimmingCharacters(in: .whitespacesAndNewlines)
    try TestServices.psql(
      "drop schema \(role) cascade; drop owned by \(role); drop role \(role)",
      at: harness.deployment.databaseURL)
    #expect(try await admin.call(.GET, "\(tenant.path)/users").isProblem(404))
    let token = try await HTTP.post(
      form: [("token", "x")], to: "\(tenant.issuer)/oauth2/introspect",
      headers: [application.basic])
    #expect(token.status == 404, "\(token)")
  }

  @Test("The system organization can be neither suspended nor deleted")
  func system() async throws {
    #expect(try await admin.call(.POST, "organizations/system/suspend").isProblem(409))
    #expect(try await admin.call(.DELETE, "organizations/system").isProblem(409))
    #expect(try await admin.call(.GET, "organizations/system").json["status"] == "active")
  }
}
