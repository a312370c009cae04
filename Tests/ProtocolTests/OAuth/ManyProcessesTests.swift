import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("Two processes act as one", .serialized)
struct ManyProcessesTests {
  /// Two servers beside each other, with the address of the second.
  struct Pair: Sendable {
    let harness: Harness
    let second: TenureProcess
    let secondBase: String

    private static let started = Task {
      let deployment = try await Deployment()
      let port = try Deployment.freePort()
      let first = try await deployment.serve(roles: "control,runtime,worker")
      let second = try await deployment.serve(
        roles: "control,runtime", environment: ["TENURE_HTTP_PORT": "\(port)"])
      return Pair(
        harness: Harness(deployment: deployment, process: first), second: second,
        secondBase: "http://localhost:\(port)")
    }

    static func shared() async throws -> Pair { try await started.value }
  }

  let pair: Pair

  init() async throws { pair = try await Pair.shared() }

  @Test("Fifty refreshes with one token at both get one successor and no error")
  func refresh() async throws {
    let tenant = try await pair.harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let tokens = try await request.tokens(tenant.person())
    let token = try #require(tokens["refresh_token"]?.stringValue)
    let base = pair.secondBase
    let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
      for index in 0..<50 {
        group.addTask {
          try await tenant.post(
            "oauth2/token", [("grant_type", "refresh_token"), ("refresh_token", token)],
            headers: [request.application.basic], at: index.isMultiple(of: 2) ? base : nil)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(replies.allSatisfy { $0.status == 200 })
    #expect(Set(replies.compactMap { $0.json["refresh_token"]?.stringValue }).count == 1)
  }

  @Test("RFC 7523 section 3: an assertion that one has seen is refused by the other")
  func replay() async throws {
    let (tenant, key) = (try await pair.harness.tenant(), try TestKey())
    let client = try await tenant.application([
      "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "api:read",
      "token_endpoint_auth_method": "private_key_jwt", "jwks": key.set,
    ])
    let assertion = try key.sign(TestKey.claims(client.id, client.id, for: tenant.issuer))
    let form = [("grant_type", "client_credentials")].with(assertion: assertion)
    let base = pair.secondBase
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for index in 0..<10 {
        group.addTask {
          try await tenant.post(
            "oauth2/token", form, at: index.isMultiple(of: 2) ? base : nil
          ).status
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.filter { $0 == 200 }.count == 1)
    #expect(statuses.filter { $0 == 401 }.count == 9)
  }

  @Test("RFC 8628 section 3.5: a device in a hurry is slowed down by both")
  func slowDown() async throws {
    let tenant = try await pair.harness.tenant()
    let client = try await tenant.application([
      "grant_types": [.string(DeviceTests.grantType)], "redirect_uris": [],
      "token_endpoint_auth_method": "none",
    ])
    let begun = try await tenant.post(
      "oauth2/device", [("client_id", client.id), ("scope", "openid")])
    let form = [
      ("grant_type", DeviceTests.grantType), ("client_id", client.id),
      ("device_code", begun.json["device_code"]?.stringValue ?? ""),
    ]
    let first = try await tenant.post("oauth2/token", form)
    #expect(first.json["error"] == "authorization_pending")
    let second = try await tenant.post("oauth2/token", form, at: pair.secondBase)
    #expect(second.json["error"] == "slow_down")
  }

  @Test("An access token that one has revoked is refused by the admin API of the other")
  func revoked() async throws {
    let admin = pair.harness.admin
    let token = try await admin.accessToken(scope: "organizations:read")
    let headers = [("authorization", "Bearer \(token)")]
    let there = "\(pair.secondBase)/admin/v1/organizations"
    #expect(try await HTTP.get(there, headers: headers).status == 200)
    let revocation = try await HTTP.post(
      form: [
        ("token", token), ("client_id", admin.clientID), ("client_secret", admin.clientSecret),
      ], to: "\(admin.baseURL)/t/system/oauth2/revoke")
    #expect(revocation.status == 200)
    #expect(try await HTTP.get(there, headers: headers).isProblem(401))
  }

  @Test("A secret that one has rotated is right at the other, and the old one is wrong")
  func rotated() async throws {
    let tenant = try await pair.harness.tenant()
    let client = try await tenant.application([
      "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "api:read",
    ])
    let grant = [("grant_type", "client_credentials")]
    let base = pair.secondBase
    #expect(
      try await tenant.post("oauth2/token", grant, headers: [client.basic], at: base).status == 200)
    let fresh = try await pair.harness.admin.document(
      .POST, "\(tenant.path)/clients/\(client.id)/secret")
    let rotated = TestApplication(
      id: client.id, secret: fresh["client_secret"]?.stringValue, redirectURI: "")
    #expect(
      try await tenant.post("oauth2/token", grant, headers: [rotated.basic], at: base).status
        == 200)
    #expect(
      try await tenant.post("oauth2/token", grant, headers: [client.basic], at: base).status == 401)
  }
}
