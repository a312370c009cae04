import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// What one process changes and another has cached (design section 3): void there within a second.
@Suite("Our policy: changes reach other processes")
struct TwoProcessTests {
  /// Two processes of one deployment, and an organization that both have served.
  private struct Pair {
    let tenant: TestTenant
    let application: TestApplication
    let tokens: JSON
    /// The issuer as the second process is reached.
    let other: String
    let processes: [TenureProcess]

    init() async throws {
      let deployment = try await Deployment()
      let port = try Deployment.freePort()
      let first = try await deployment.serve(roles: "control,runtime")
      let second = try await deployment.serve(
        roles: "control,runtime", environment: ["TENURE_HTTP_PORT": "\(port)"])
      processes = [first, second]
      for _ in 0..<1500 where !Deployment.connects(to: port) {
        try await Task.sleep(for: .milliseconds(20))
      }
      tenant = try await TestTenant(deployment.admin)
      application = try await tenant.application()
      tokens = try await AuthorizationRequest(tenant, application).tokens(tenant.person())
      other = "http://localhost:\(port)/t/\(tenant.slug)"
    }

    func introspect() async throws -> Reply {
      try await HTTP.post(
        form: [("token", tokens["access_token"]?.stringValue ?? "")],
        to: "\(other)/oauth2/introspect", headers: [application.basic])
    }

    func end() async throws {
      for process in processes { try await process.end(SIGTERM) }
    }
  }

  /// Asks until the answer is as it should be; one asked for after a second must be.
  private func withinASecond(_ what: String, _ isRight: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(1)
    while true {
      let isLast = ContinuousClock.now >= deadline
      if try await isRight() { return }
      guard !isLast else {
        Issue.record("\(what) is not known to the other process after a second")
        return
      }
      await Task.yield()
    }
  }

  @Test("A changed client secret")
  func secret() async throws {
    let pair = try await Pair()
    #expect(try await pair.introspect().status == 200)
    try await pair.tenant.admin.document(
      .POST, "\(pair.tenant.path)/clients/\(pair.application.id)/secret")
    try await withinASecond("the secret") { try await pair.introspect().status == 401 }
    try await pair.end()
  }

  @Test("A revoked token")
  func token() async throws {
    let pair = try await Pair()
    #expect(try await pair.introspect().json["active"] == true)
    let revoked = try await HTTP.post(
      form: [("token", pair.tokens["access_token"]?.stringValue ?? "")],
      to: "\(pair.tenant.issuer)/oauth2/revoke", headers: [pair.application.basic])
    #expect(revoked.status == 200)
    try await withinASecond("the revocation") {
      try await pair.introspect().json["active"] == false
    }
    try await pair.end()
  }

  @Test("A new signing key")
  func key() async throws {
    let pair = try await Pair()
    let address = "\(pair.other)/.well-known/jwks.json"
    func count() async throws -> Int {
      try await HTTP.get(address).json["keys"]?.arrayValue?.count ?? 0
    }
    let before = try await count()
    #expect(before > 0)
    try await pair.tenant.admin.document(.POST, "\(pair.tenant.path)/keys/rotate", [:])
    try await withinASecond("the key") { try await count() > before }
    try await pair.end()
  }

  @Test("A suspended organization, and one that is resumed")
  func suspension() async throws {
    let pair = try await Pair()
    let address = "\(pair.other)/.well-known/jwks.json"
    #expect(try await HTTP.get(address).status == 200)
    try await pair.tenant.admin.document(.POST, "\(pair.tenant.path)/suspend")
    try await withinASecond("the suspension") { try await HTTP.get(address).status == 503 }
    try await pair.tenant.admin.document(.POST, "\(pair.tenant.path)/resume")
    try await withinASecond("the end of it") { try await HTTP.get(address).status == 200 }
    try await pair.end()
  }
}
