import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("RFC 7591 and RFC 7592: clients that register themselves")
struct RegistrationTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  static let metadata: JSONObject = [
    "client_name": "Registered", "redirect_uris": ["https://app.example.org/callback"],
  ]

  func tenant(_ settings: JSONObject = ["registration": "open"]) async throws -> TestTenant {
    let tenant = try await harness.tenant()
    try await tenant.settings(settings)
    return tenant
  }

  func send(
    _ method: HTTPMethod, _ url: String, _ body: JSON?, token: String? = nil
  ) async throws -> Reply {
    var headers: [(String, String)] = []
    if let token { headers.append(("authorization", "Bearer \(token)")) }
    if body != nil { headers.append(("content-type", "application/json")) }
    return try await HTTP.send(method, url, headers: headers, body: body?.encoded())
  }

  func register(
    _ tenant: TestTenant, _ changes: JSONObject = [:], token: String? = nil
  ) async throws -> Reply {
    var metadata = Self.metadata
    for (name, value) in changes { metadata[name] = value.isNull ? nil : value }
    return try await send(
      .POST, "\(tenant.issuer)/oauth2/register", .object(metadata), token: token)
  }

  @Test("Open: registered, signed in with, read, replaced, removed")
  func life() async throws {
    let tenant = try await tenant()
    let reply = try await register(
      tenant,
      ["logo_uri": "https://app.example.org/logo.png", "colour": "red", "first_party": true])
    #expect(reply.status == 201 && reply.headers.first(name: "cache-control") == "no-store")
    let client = reply.json
    #expect(client["colour"] == nil && client["first_party"] == nil)
    #expect(client["client_secret_expires_at"] == 0 && client["client_id_issued_at"] != nil)
    #expect(client["token_endpoint_auth_method"] == "client_secret_basic")
    let id = try #require(client["client_id"]?.stringValue)
    let address = try #require(client["registration_client_uri"]?.stringValue)
    #expect(address == "\(tenant.issuer)/oauth2/register/\(id)")
    let token = try #require(client["registration_access_token"]?.stringValue)
    let application = TestApplication(
      id: id, secret: client["client_secret"]?.stringValue,
      redirectURI: "https://app.example.org/callback")
    var request = AuthorizationRequest(tenant, application)
    request.scope = "openid email"
    let tokens = try await request.tokens(tenant.person())
    #expect(try await tenant.userinfo(tokens["access_token"]).status == 200)

    let read = try await send(.GET, address, nil, token: token)
    #expect(read.status == 200 && read.json["registration_access_token"]?.stringValue == token)
    var changed = Self.metadata
    changed["client_id"] = .string(id)
    changed["client_name"] = "Renamed"
    let put = try await send(.PUT, address, .object(changed), token: token)
    #expect(put.status == 200 && put.json["client_name"] == "Renamed")
    #expect(put.json["logo_uri"] == nil)
    let next = try #require(put.json["registration_access_token"]?.stringValue)
    #expect(next != token)
    #expect(try await send(.GET, address, nil, token: token).status == 401)
    #expect(try await send(.DELETE, address, nil, token: next).status == 204)
    let gone = try await send(.GET, address, nil, token: next)
    #expect(gone.status == 401)
    #expect(gone.headers.first(name: "www-authenticate")?.contains("invalid_token") == true)
    #expect(try await tenant.userinfo(tokens["access_token"]).status == 401)
    for action in ["client.registered", "client.updated", "client.deleted"] {
      #expect(try await tenant.events(action).count == 1, "\(action)")
    }
  }

  @Test("Closed unless the organization says otherwise, and metadata says so")
  func modes() async throws {
    let tenant = try await harness.tenant()
    let discovery = "\(tenant.issuer)/.well-known/openid-configuration"
    #expect(try await HTTP.get(discovery).json["registration_endpoint"] == nil)
    let closed = try await register(tenant)
    #expect(closed.status == 403 && closed.json["error"] == "access_denied")
    try await tenant.settings(["registration": "initial_access_token"])
    #expect(
      try await HTTP.get(discovery).json["registration_endpoint"]?.stringValue
        == "\(tenant.issuer)/oauth2/register")
    let without = try await register(tenant)
    #expect(without.status == 401 && without.headers.contains(name: "www-authenticate"))
    #expect(try await register(tenant, token: "x").status == 401)
    let issued = try await harness.admin.document(
      .POST, "\(tenant.path)/initial-access-tokens", ["uses": 2])
    let token = try #require(issued["initial_access_token"]?.stringValue)
    let list = try await harness.admin.document(.GET, "\(tenant.path)/initial-access-tokens")
    #expect(list["initial_access_tokens"]?.arrayValue?.first?["uses_left"] == 2)
    // A refused registration uses nothing up.
    #expect(try await register(tenant, ["redirect_uris": []], token: token).status == 400)
    #expect(try await register(tenant, token: token).status == 201)
    #expect(try await register(tenant, token: token).status == 201)
    #expect(try await register(tenant, token: token).status == 401)
    let second = try await harness.admin.document(
      .POST, "\(tenant.path)/initial-access-tokens", [:])
    let path = "\(tenant.path)/initial-access-tokens/\(second["id"]?.stringValue ?? "")"
    #expect(try await harness.admin.call(.DELETE, path).status == 204)
    #expect(
      try await register(tenant, token: second["initial_access_token"]?.stringValue).status == 401)
    #expect(try await tenant.events("initial_access_token.created").count == 2)
  }

  @Test("No more than registration_clients_max register, also at the same time")
  func countMax() async throws {
    let tenant = try await tenant(["registration": "open", "registration_clients_max": 3])
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<16 { group.addTask { try await register(tenant).status } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.filter { $0 == 201 }.count == 3, "\(statuses)")
    #expect(statuses.allSatisfy { $0 == 201 || $0 == 403 }, "\(statuses)")
    #expect(try await tenant.events("client.registered").count == 3)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let changes: JSONObject
    let error: String
    var testDescription: String { "\(JSON.object(changes))" }
  }

  @Test(
    "RFC 7591 section 3.2.2: refusals",
    arguments: [
      Refusal(changes: ["redirect_uris": .null], error: "invalid_redirect_uri"),
      Refusal(changes: ["redirect_uris": ["http://app.example"]], error: "invalid_redirect_uri"),
      Refusal(changes: ["redirect_uris": ["https://a.example/#x"]], error: "invalid_redirect_uri"),
      Refusal(changes: ["redirect_uris": ["javascript:alert(1)"]], error: "invalid_redirect_uri"),
      Refusal(changes: ["redirect_uris": 7], error: "invalid_redirect_uri"),
      Refusal(changes: ["grant_types": ["implicit"]], error: "invalid_client_metadata"),
      Refusal(
        changes: ["grant_types": ["client_credentials"], "response_types": []],
        error: "invalid_client_metadata"),
      Refusal(changes: ["response_types": ["token"]], error: "invalid_client_metadata"),
      Refusal(changes: ["scope": "openid admin"], error: "invalid_client_metadata"),
      Refusal(
        changes: ["token_endpoint_auth_method": "private_key_jwt"],
        error: "invalid_client_metadata"),
      Refusal(changes: ["logo_uri": "http://example.com/l"], error: "invalid_client_metadata"),
      Refusal(changes: ["jwks": ["keys": []]], error: "invalid_client_metadata"),
      Refusal(changes: ["software_statement": "x"], error: "invalid_software_statement"),
      Refusal(changes: ["software_statement": 1], error: "invalid_software_statement"),
    ])
  func refuses(_ refusal: Refusal) async throws {
    let reply = try await register(tenant(), refusal.changes)
    #expect(reply.status == 400 && reply.json["error"]?.stringValue == refusal.error, "\(reply)")
    #expect(reply.headers.first(name: "cache-control") == "no-store")
  }

  @Test("Bodies that are no metadata")
  func junk() async throws {
    let tenant = try await tenant()
    for (type, body) in [
      ("application/json", "{"), ("application/json", "[]"), ("application/json", ""),
      ("application/x-www-form-urlencoded", "client_name=x"),
      ("application/json", "{\"client_name\":\"a\",\"client_name\":\"b\"}"),
    ] {
      let reply = try await HTTP.send(
        .POST, "\(tenant.issuer)/oauth2/register", headers: [("content-type", type)],
        body: Array(body.utf8))
      #expect(
        reply.status == 400 && reply.json["error"] == "invalid_client_metadata", "\(reply)")
    }
    let large = try await HTTP.send(
      .POST, "\(tenant.issuer)/oauth2/register", headers: [("content-type", "application/json")],
      body: [UInt8](repeating: 0x20, count: 100_000))
    #expect(large.status == 413)
  }

  @Test("The organization decides on grants, scopes, redirect hosts and how many")
  func policy() async throws {
    let tenant = try await tenant([
      "registration": "open", "registration_grant_types": ["client_credentials"],
      "registration_scope": "api:read", "registration_redirect_hosts": ["*.example.org"],
      "registration_clients_max": 1,
    ])
    let web = try await register(tenant)
    #expect(web.json["error"] == "invalid_client_metadata")
    let service: JSONObject = ["grant_types": ["client_credentials"], "redirect_uris": []]
    let hosts = try await register(
      tenant, service.merging(["redirect_uris": ["https://app.example.com/callback"]]))
    #expect(hosts.json["error"] == "invalid_redirect_uri")
    let afterwards = try await register(
      tenant, service.merging(["post_logout_redirect_uris": ["https://app.example.com/bye"]]))
    #expect(afterwards.json["error"] == "invalid_client_metadata")
    let first = try await register(tenant, service)
    #expect(first.status == 201 && first.json["scope"] == "api:read", "\(first)")
    let second = try await register(tenant, service)
    #expect(second.status == 403 && second.json["error"] == "access_denied")
  }

  @Test("Software statements of approved issuers overrule what stands beside them")
  func statements() async throws {
    let (tenant, key) = (try await tenant(), try TestKey())
    let now = Int(Date().timeIntervalSince1970)
    let statement = try key.sign([
      "iss": "https://vendor.example", "software_id": "4NRB1", "client_name": "Vouched",
    ])
    let unapproved = try await register(tenant, ["software_statement": .string(statement)])
    #expect(unapproved.status == 400)
    #expect(unapproved.json["error"] == "unapproved_software_statement")
    try await harness.admin.document(
      .POST, "\(tenant.path)/trusted-issuers",
      [
        "issuer": "https://vendor.example", "uses": ["software_statement"], "jwks": key.set,
      ])
    let approved = try await register(tenant, ["software_statement": .string(statement)])
    #expect(approved.status == 201 && approved.json["client_name"] == "Vouched", "\(approved)")
    #expect(approved.json["software_id"] == "4NRB1")
    #expect(approved.json["software_statement"]?.stringValue == statement)
    let forged = try TestKey().sign(["iss": "https://vendor.example", "client_name": "Forged"])
    let expired = try key.sign([
      "iss": "https://vendor.example", "client_name": "Old", "exp": .integer(now - 60),
    ])
    for bad in [forged, expired] {
      let reply = try await register(tenant, ["software_statement": .string(bad)])
      #expect(reply.status == 400 && reply.json["error"] == "invalid_software_statement")
    }
  }

  @Test("oidcc-registration-sector-uri, oidcc-registration-sector-bad")
  func sector() async throws {
    let tenant = try await tenant()
    try await LoopbackServer.run { server in
      server.publish(
        ["https://app.example.org/callback", "https://other.example/cb"], at: "/good")
      server.publish(["https://other.example/cb"], at: "/bad")
      server.publish(["redirect_uris": []], at: "/object")
      func tries(_ path: String) async throws -> Reply {
        try await register(
          tenant,
          [
            "subject_type": "pairwise",
            "sector_identifier_uri": .string("\(server.address)\(path)"),
          ])
      }
      #expect(try await tries("/good").status == 201)
      for path in ["/bad", "/object", "/missing"] {
        let reply = try await tries(path)
        #expect(reply.status == 400 && reply.json["error"] == "invalid_client_metadata", "\(path)")
      }
    }
    let nowhere = try await register(
      tenant,
      ["subject_type": "pairwise", "sector_identifier_uri": "https://10.0.0.1/sector.json"])
    #expect(nowhere.json["error"] == "invalid_client_metadata")
  }

  @Test("RFC 7592 section 2: only by its own token, and only what is the client's to set")
  func configuration() async throws {
    let tenant = try await tenant()
    let (mine, other) = (try await register(tenant).json, try await register(tenant).json)
    let address = try #require(mine["registration_client_uri"]?.stringValue)
    let token = try #require(mine["registration_access_token"]?.stringValue)
    for wrong in [nil, "x", other["registration_access_token"]?.stringValue] {
      for method in [HTTPMethod.GET, .PUT, .DELETE] {
        let reply = try await send(method, address, method == .PUT ? [:] : nil, token: wrong)
        #expect(reply.status == 401, "\(method): \(reply)")
      }
    }
    let unknown = try await send(
      .GET, "\(tenant.issuer)/oauth2/register/nobody", nil, token: token)
    #expect(unknown.status == 401)
    let base = Self.metadata.merging(["client_id": mine["client_id"] ?? .null])
    for (changes, error) in [
      (["client_id": "other"], "invalid_client_metadata"),
      (["client_id": .null], "invalid_client_metadata"),
      (["client_secret": "mine"], "invalid_client_metadata"),
      (["registration_access_token": .string(token)], "invalid_client_metadata"),
      (["client_id_issued_at": 1], "invalid_client_metadata"),
      (["redirect_uris": ["http://a.example"]], "invalid_redirect_uri"),
    ] as [(JSONObject, String)] {
      let reply = try await send(
        .PUT, address, .object(base.merging(changes)), token: token)
      #expect(reply.status == 400 && reply.json["error"]?.stringValue == error, "\(changes)")
    }
    let kept = try await send(
      .PUT, address, .object(base.merging(["client_secret": mine["client_secret"] ?? .null])),
      token: token)
    #expect(kept.status == 200 && kept.json["client_secret"] == nil)
    // Clients an administrator made have no such token.
    let made = try await tenant.application()
    #expect(
      try await send(.GET, "\(tenant.issuer)/oauth2/register/\(made.id)", nil, token: token).status
        == 401)
  }
}
