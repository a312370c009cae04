import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("/admin/v1/organizations/{id}/users (OpenID Connect Core section 5.1)")
struct AdminUserTests {
  let harness: Harness
  var admin: AdminCredentials { harness.admin }

  init() async throws {
    harness = try await Harness.shared()
  }

  @Test("A user comes back with the same claims and never with the password")
  func create() async throws {
    let tenant = try await harness.tenant()
    let claims: JSON = [
      "username": "quentin", "email": "q@example.org", "email_verified": true,
      "given_name": "Quentin", "family_name": "Zyx", "phone_number": "+32 9 123 45 67",
      "birthdate": "1990-02-28", "zoneinfo": "Europe/Brussels", "locale": "nl-BE",
      "address": ["street_address": "Nowhere 1\nB", "country": "BE"],
    ]
    var body = try #require(claims.objectValue)
    body["password"] = "correct horse"
    let reply = try await admin.call(.POST, "\(tenant.path)/users", .object(body))
    #expect(reply.status == 201, "\(reply)")
    #expect(!reply.text.contains("password") && !reply.text.contains("correct horse"))
    for (name, value) in claims.objectValue ?? [:] { #expect(reply.json[name] == value, "\(name)") }
    let id = try #require(reply.json["id"]?.stringValue)
    let found = try await admin.call(.GET, "\(tenant.path)/users/\(id)")
    #expect(found.status == 200 && found.json == reply.json && found.header("etag") != nil)
    for query in ["email=Q%40example.org", "username=quentin"] {
      let list = try await admin.document(.GET, "\(tenant.path)/users?\(query)")
      #expect(list["users"] == .array([reply.json]), "\(query)")
    }
    #expect(try await admin.document(.GET, "\(tenant.path)/users?email=x%40y.z")["users"] == [])
  }

  @Test(
    "What is wrong is said for every field at once",
    arguments: [
      InvalidBody([:], ["username"]),
      InvalidBody(
        ["username": "a", "password": "short", "shoe_size": 43], ["password", "shoe_size"]),
      InvalidBody(["email": "nobody", "birthdate": "yesterday"], ["email", "birthdate"]),
      InvalidBody(["username": .string(String(repeating: "x", count: 300))], ["username"]),
    ])
  func invalid(_ bad: InvalidBody) async throws {
    let tenant = try await harness.tenant()
    let reply = try await admin.call(.POST, "\(tenant.path)/users", bad.body)
    #expect(reply.isProblem(422) && bad.fields.isSubset(of: reply.problemFields), "\(reply)")
    #expect(try await admin.document(.GET, "\(tenant.path)/users")["users"] == [])
  }

  @Test("E-mail and user name are given out once in an organization")
  func duplicates() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    for (body, field): (JSON, String) in [
      (["username": "other", "email": .string(person.email.uppercased())], "email"),
      (["username": .string(person.username), "email": "free@example.org"], "username"),
    ] {
      let reply = try await admin.call(.POST, "\(tenant.path)/users", body)
      #expect(reply.isProblem(409) && reply.problemFields == [field], "\(reply)")
    }
    let elsewhere = try await harness.tenant()
    let reply = try await admin.call(
      .POST, "\(elsewhere.path)/users", ["email": .string(person.email)])
    #expect(reply.status == 201)
  }

  @Test("Claims merge, null removes, and a stale version is refused")
  func update() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    let path = "\(tenant.path)/users/\(person.id)"
    let etag = try #require(try await admin.call(.GET, path).header("etag"))
    let changed = try await admin.call(
      .PATCH, path, ["nickname": "Q", "name": .null, "address": ["locality": "Bruges"]],
      headers: [("if-match", etag)])
    #expect(changed.status == 200 && changed.json["nickname"] == "Q", "\(changed)")
    #expect(changed.json["name"] == nil)
    #expect(changed.json["address"]?["locality"] == "Bruges")
    #expect(changed.json["address"]?["country"] == "BE")
    #expect(changed.json["email"]?.stringValue == person.email)
    let stale = try await admin.call(
      .PATCH, path, ["nickname": "R"], headers: [("if-match", etag)])
    #expect(stale.isProblem(412))
    let bad = try await admin.call(.PATCH, path, ["shoe_size": 43, "email": "x"])
    #expect(bad.isProblem(422) && bad.problemFields == ["shoe_size", "email"], "\(bad)")
    #expect(try await admin.call(.GET, path).json["nickname"] == "Q")
  }

  @Test("A new password works, the old one does not; a disabled account signs nobody in")
  func password() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application()
    let person = try await tenant.person()
    let path = "\(tenant.path)/users/\(person.id)"
    let changed = try await admin.call(.PATCH, path, ["password": "another password"])
    #expect(changed.status == 200 && !changed.text.contains("another password"))
    let renewed = TestPerson(
      username: person.username, email: person.email, password: "another password",
      name: person.name, street: person.street)
    _ = try await AuthorizationRequest(tenant, application).tokens(renewed)
    await #expect(throws: (any Error).self) {
      _ = try await AuthorizationRequest(tenant, application).tokens(person)
    }
    let disabled = try await admin.call(.PATCH, path, ["status": "disabled"])
    #expect(disabled.json["status"] == "disabled")
    await #expect(throws: (any Error).self) {
      _ = try await AuthorizationRequest(tenant, application).tokens(renewed)
    }
  }

  @Test("A change is made whole or not at all; a new password signs everybody out")
  func changeIsWhole() async throws {
    let tenant = try await harness.tenant()
    let (person, other) = (try await tenant.person(), try await tenant.person())
    let path = "\(tenant.path)/users/\(person.id)"
    let browser = Browser()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let tokens = try await request.tokens(person, with: browser)
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    let taken = try await admin.call(
      .PATCH, path, ["password": "another password", "email": .string(other.email)])
    #expect(taken.isProblem(409))
    #expect(try await browser.open("\(tenant.issuer)/privacy").reply.text.contains(person.email))
    _ = try await request.tokens(person)
    #expect(try await admin.call(.PATCH, path, ["password": "another password"]).status == 200)
    #expect(try await request.refresh(refresh).json["error"] == "invalid_grant")
    let page = try await browser.open("\(tenant.issuer)/privacy")
    #expect(page.reply.text.contains("id=\"password\""))
  }

  @Test("A deleted user is gone at once, and the e-mail is free")
  func delete() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    let path = "\(tenant.path)/users/\(person.id)"
    #expect(try await admin.call(.DELETE, path).status == 204)
    #expect(try await admin.call(.GET, path).isProblem(404))
    #expect(try await admin.call(.DELETE, path).isProblem(404))
    #expect(try await admin.call(.PATCH, path, ["nickname": "x"]).isProblem(404))
    let again = try await admin.call(
      .POST, "\(tenant.path)/users",
      ["email": .string(person.email), "username": .string(person.username)])
    #expect(again.status == 201, "\(again)")
    for _ in 0..<600 {
      let requests = try await admin.document(.GET, "\(tenant.path)/privacy/requests?kind=erasure")
      let request = requests["requests"]?.arrayValue?.first
      #expect(request?["channel"] == "deletion")
      if request?["state"] == "fulfilled" { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("the erasure does not end")
  }

  @Test("An Idempotency-Key makes one user")
  func idempotency() async throws {
    let tenant = try await harness.tenant()
    let key = [("idempotency-key", UUID().uuidString)]
    let body: JSON = ["email": "once@example.org", "password": "correct horse"]
    let first = try await admin.call(.POST, "\(tenant.path)/users", body, headers: key)
    let second = try await admin.call(.POST, "\(tenant.path)/users", body, headers: key)
    #expect(first.status == 201 && second.status == 201 && first.json == second.json)
    let other = try await admin.call(
      .POST, "\(tenant.path)/users", ["email": "once@example.org", "password": "other horse"],
      headers: key)
    #expect(other.isProblem(422))
    let id = try #require(first.json["id"]?.stringValue)
    #expect(try await admin.call(.DELETE, "\(tenant.path)/users/\(id)").status == 204)
    let late = try await admin.call(.POST, "\(tenant.path)/users", body, headers: key)
    #expect(late.isProblem(409), "\(late)")
  }

  @Test("The list comes in pages")
  func pages() async throws {
    let tenant = try await harness.tenant()
    var made: [String] = []
    for _ in 0..<3 { made.append(try await tenant.person().id) }
    let first = try await admin.document(.GET, "\(tenant.path)/users?limit=2")
    let cursor = try #require(first["next_cursor"]?.stringValue)
    let second = try await admin.document(.GET, "\(tenant.path)/users?limit=2&cursor=\(cursor)")
    #expect(second["next_cursor"] == .null)
    let seen = [first, second].flatMap { $0["users"]?.arrayValue ?? [] }
      .compactMap { $0["id"]?.stringValue }
    #expect(seen == made)
  }
}
