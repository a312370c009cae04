import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("Access to the administration interface (RFC 6750, RFC 9068)")
struct AdminAccessTests {
  let harness: Harness

  init() async throws {
    harness = try await Harness.shared()
  }

  @Test("Every operation wants a token, and the right scope before anything else")
  func everyOperation() async throws {
    let operations = try await DescribedOperation.all(harness)
    #expect(operations.count > 35)
    for operation in operations {
      let path = operation.filled([:], other: UUID().uuidString.lowercased())
      let url = "\(harness.admin.baseURL)/admin/v1/\(path)"
      let anonymous = try await HTTP.send(operation.method, url)
      #expect(anonymous.isProblem(401), "\(operation): \(anonymous)")
      #expect(anonymous.header("www-authenticate")?.hasPrefix("Bearer") == true)
      let scope = operation.scope == "jobs:read" ? "users:read" : "jobs:read"
      let token = try await harness.admin.accessToken(scope: scope)
      let narrow = try await HTTP.send(
        operation.method, url, headers: [("authorization", "Bearer \(token)")])
      #expect(narrow.isProblem(403), "\(operation): \(narrow)")
      #expect(narrow.header("www-authenticate")?.contains(operation.scope) == true)
    }
  }

  @Test("Unknown ids are 404, whatever the operation")
  func unknownIDs() async throws {
    let tenant = try await harness.tenant()
    for operation in try await DescribedOperation.all(harness) where operation.path.contains("{") {
      for (values, other) in [
        ([:], UUID().uuidString.lowercased()),
        (["organization": tenant.id], UUID().uuidString.lowercased()),
        (["organization": tenant.id], "no-such-thing"), ([:], "%00"),
        (["organization": tenant.id], "..%2f"),
      ] {
        let path = operation.filled(values, other: other)
        guard
          operation.path.contains("{organization}") == false || values.isEmpty
            || operation.path.split(separator: "/").filter({ $0.hasPrefix("{") }).count > 1
        else { continue }
        let reply = try await harness.admin.call(
          operation.method, path, operation.hasBody ? ["dry_run": true] : nil)
        #expect([400, 404, 422].contains(reply.status), "\(operation) \(path): \(reply)")
        #expect(reply.isProblem(reply.status))
      }
    }
  }

  @Test("Junk in a body is never an error of ours")
  func junk() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    let application = try await tenant.application()
    let known = ["organization": tenant.id, "user": person.id, "client": application.id]
    let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    let bodies: [(String, Set<Int>)] = [
      ("", [400]), ("{", [400]), ("[]", [400]), ("null", [400]), ("\"text\"", [400]), (deep, [400]),
      ("{\"a\":1,\"a\":2}", [400]), ("{\"\u{0}\":1}", [400]), ("{\"name\":\"\\u0000\"}", [400]),
      ("{\"name\":\"\\ud800\"}", [400]), ("{\"surely_unknown\":true}", [404, 422]),
      (
        "{\"name\":[],\"slug\":{},\"email\":7,\"kind\":[],\"rules\":1,\"dry_run\":\"x\"}",
        [404, 422]
      ),
      ("{} {}", [400]), ("{\"n\":1e999}", [400, 404, 422]),
    ]
    for operation in try await DescribedOperation.all(harness) where operation.hasBody {
      let path = operation.filled(known, other: "unknown")
      for (body, statuses) in bodies {
        let reply = try await harness.admin.raw(operation.method, path, Array(body.utf8))
        #expect(statuses.union([404]).contains(reply.status), "\(operation) \(body): \(reply)")
        #expect(reply.isProblem(reply.status))
      }
      let broken = try await harness.admin.raw(operation.method, path, [0x7b, 0xff, 0x7d])
      #expect([400, 404].contains(broken.status), "\(operation): \(broken)")
      let form = try await harness.admin.raw(
        operation.method, path, Array("a=b".utf8),
        contentType: "application/x-www-form-urlencoded")
      #expect([404, 415].contains(form.status), "\(operation): \(form)")
      let large = try await harness.admin.raw(
        operation.method, path, [UInt8](repeating: 0x20, count: 100_000))
      #expect([404, 413].contains(large.status), "\(operation): \(large)")
    }
  }

  @Test(
    "Bad queries are refused",
    arguments: [
      "limit=0", "limit=201", "limit=x", "limit=1&limit=2", "cursor=x", "cursor=_w", "colour=red",
      "limit=%zz",
    ])
  func queries(_ query: String) async throws {
    let tenant = try await harness.tenant()
    for path in [
      "organizations", "jobs", "\(tenant.path)/users", "\(tenant.path)/clients",
      "\(tenant.path)/privacy/requests", "\(tenant.path)/retention/runs",
      "\(tenant.path)/audit/events",
    ] {
      let reply = try await harness.admin.call(.GET, "\(path)?\(query)")
      #expect(reply.isProblem(400), "\(path)?\(query): \(reply)")
    }
  }

  @Test("A revoked token is refused")
  func revoked() async throws {
    let token = try await harness.admin.accessToken(scope: "organizations:read")
    let url = "\(harness.admin.baseURL)/admin/v1/organizations"
    let headers = [("authorization", "Bearer \(token)")]
    #expect(try await HTTP.get(url, headers: headers).status == 200)
    let revocation = try await HTTP.post(
      form: [
        ("token", token), ("client_id", harness.admin.clientID),
        ("client_secret", harness.admin.clientSecret),
      ], to: "\(harness.admin.baseURL)/t/system/oauth2/revoke")
    #expect(revocation.status == 200)
    #expect(try await HTTP.get(url, headers: headers).isProblem(401))
  }

  @Test("So is one that was exchanged for it (RFC 8693)")
  func exchanged() async throws {
    let system = TestTenant(
      admin: harness.admin, id: "system", slug: "system",
      issuer: "\(harness.admin.baseURL)/t/system")
    let service = try await system.application([
      "grant_types": [.string(TokenExchangeTests.grantType)], "redirect_uris": [],
      "scope": "organizations:read", "token_exchange": ["subject_clients": ["*"]],
    ])
    let token = try await harness.admin.accessToken(scope: "organizations:read")
    let exchanged = try await system.post(
      "oauth2/token",
      [
        ("grant_type", TokenExchangeTests.grantType), ("subject_token", token),
        ("subject_token_type", TokenExchangeTests.accessToken),
      ], headers: [service.basic])
    let url = "\(harness.admin.baseURL)/admin/v1/organizations"
    let headers = [("authorization", "Bearer \(exchanged.json["access_token"]?.stringValue ?? "")")]
    #expect(try await HTTP.get(url, headers: headers).status == 200, "\(exchanged)")
    let revocation = try await system.post(
      "oauth2/revoke",
      [
        ("token", token), ("client_id", harness.admin.clientID),
        ("client_secret", harness.admin.clientSecret),
      ])
    #expect(revocation.status == 200)
    #expect(try await HTTP.get(url, headers: headers).isProblem(401))
  }

  @Test("Addresses that do not exist and methods that do not fit are problem documents")
  func addresses() async throws {
    let unknown = try await harness.admin.call(.GET, "nothing/here")
    #expect(unknown.isProblem(404))
    let method = try await harness.admin.call(.DELETE, "organizations")
    #expect(method.isProblem(405) && method.header("allow")?.contains("POST") == true)
  }

  @Test("The documentation lists every operation, for machines and for people")
  func documentation() async throws {
    let operations = try await DescribedOperation.all(harness)
    let page = try await HTTP.get(
      "\(harness.admin.baseURL)/docs", headers: [("accept", "text/html")])
    #expect(page.status == 200 && page.contentType?.hasPrefix("text/html") == true)
    for operation in operations {
      #expect(page.text.contains("/admin/v1/\(operation.path)"), "\(operation)")
    }
  }
}
