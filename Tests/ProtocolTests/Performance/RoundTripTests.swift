import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// What an answer costs the database (design section 10), counted by the process itself.
@Suite("Our policy: round trips of the hot paths")
struct RoundTripTests {
  private static let repetitions = 10

  @Test("None for what is the same for everybody, one for what speaks of a person")
  func roundTrips() async throws {
    let deployment = try await Deployment()
    let port = try Deployment.freePort()
    // Making organizations ready in the background takes round trips of its own.
    let server = try await deployment.serve(
      roles: "control,runtime", internalPort: port,
      environment: ["TENURE_READY_ORGANIZATIONS": "0"])
    let tenant = try await TestTenant(deployment.admin)
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let person = try await tenant.person()
    let tokens = try await request.tokens(person)
    let access = try #require(tokens["access_token"]?.stringValue)
    let service = try await tenant.application([
      "grant_types": ["client_credentials"], "redirect_uris": [], "response_types": [],
      "scope": "reports:read",
    ])
    let bearer = [("authorization", "Bearer \(access)")]
    let works: [(name: String, limit: Int, call: @Sendable () async throws -> Int)] = [
      (
        "discovery", 0,
        { try await HTTP.get("\(tenant.issuer)/.well-known/openid-configuration").status }
      ),
      ("JWKS", 0, { try await HTTP.get("\(tenant.issuer)/.well-known/jwks.json").status }),
      (
        "client credentials", 0,
        {
          try await HTTP.post(
            form: [("grant_type", "client_credentials")], to: "\(tenant.issuer)/oauth2/token",
            headers: [service.basic]
          ).status
        }
      ),
      (
        "introspection", 1,
        {
          try await HTTP.post(
            form: [("token", access)], to: "\(tenant.issuer)/oauth2/introspect",
            headers: [request.application.basic]
          ).status
        }
      ),
      (
        "userinfo", 1,
        { try await HTTP.get("\(tenant.issuer)/oidc/userinfo", headers: bearer).status }
      ),
    ]
    for work in works {
      #expect(try await work.call() == 200, "\(work.name)")
      let before = try await Self.roundTrips(of: port)
      for _ in 0..<Self.repetitions { #expect(try await work.call() == 200, "\(work.name)") }
      let used = try await Self.roundTrips(of: port) - before
      #expect(used == work.limit * Self.repetitions, "\(work.name)")
    }
    try await grants(request, person, tokens, port)
    try await server.end(SIGTERM)
  }

  /// Grants bring what the answer before gave out: a refresh token, a code.
  private func grants(
    _ request: AuthorizationRequest, _ person: TestPerson, _ tokens: JSON, _ port: UInt16
  ) async throws {
    var token = try #require(tokens["refresh_token"]?.stringValue)
    var before = try await Self.roundTrips(of: port)
    for _ in 0..<Self.repetitions {
      token = try #require(try await request.refresh(token).json["refresh_token"]?.stringValue)
    }
    #expect(try await Self.roundTrips(of: port) - before == Self.repetitions, "refresh")
    let back = try await request.authorize(person, with: Browser())
    let code = try #require(back.locationParameter("code"))
    before = try await Self.roundTrips(of: port)
    #expect(try await request.redeem(code: code).status == 200)
    #expect(try await Self.roundTrips(of: port) - before == 1, "code for tokens")
  }

  private static func roundTrips(of port: UInt16) async throws -> Int {
    try await #require(Scrape(port)["tenure_database_round_trips_total"])
  }
}
