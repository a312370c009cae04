import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("The admin API: signing keys")
struct AdminKeyTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  private func states(_ document: JSON, _ algorithm: String) -> [String] {
    (document["keys"]?.arrayValue ?? []).filter { $0["algorithm"]?.stringValue == algorithm }
      .compactMap { $0["state"]?.stringValue }
  }

  @Test("Rotation of one algorithm leaves the others; its document changes its tag at once")
  func one() async throws {
    let tenant = try await harness.tenant()
    let address = "\(tenant.issuer)/.well-known/jwks.json"
    let before = try await HTTP.get(address)
    let etag = try #require(before.headers.first(name: "etag"))
    #expect(try await HTTP.get(address, headers: [("if-none-match", etag)]).status == 304)
    let document = try await harness.admin.document(
      .POST, "\(tenant.path)/keys/rotate", ["algorithm": "ES256"])
    #expect(states(document, "ES256") == ["previous", "current"])
    #expect(states(document, "RS256") == ["current"])
    let after = try await HTTP.get(address, headers: [("if-none-match", etag)])
    #expect(after.status == 200 && after.json["keys"]?.arrayValue?.count == 3)
    let age = after.headers.first(name: "cache-control")?.split(separator: "=").last.flatMap {
      Int($0)
    }
    // At most half of the shortest time that a key is published ahead, which is a day.
    #expect((1...43_200).contains(age ?? 0))
    #expect(try await harness.admin.document(.GET, "\(tenant.path)/keys") == document)
    #expect(document["keys"]?.arrayValue?.allSatisfy { $0["private_key"] == nil } == true)
  }

  @Test("After a compromise old keys are out of the document, and what they signed is void")
  func compromised() async throws {
    let visit = try await LogoutVisit(harness)
    #expect(try await visit.tenant.userinfo(visit.tokens["access_token"]).status == 200)
    let before = Set(try await visit.tenant.keys().compactMap { $0["kid"]?.stringValue })
    let document = try await harness.admin.document(
      .POST, "\(visit.tenant.path)/keys/rotate", ["compromised": true])
    #expect(states(document, "ES256") == ["retired", "current"])
    let after = Set(try await visit.tenant.keys().compactMap { $0["kid"]?.stringValue })
    #expect(after.count == 2 && after.isDisjoint(with: before))
    #expect(try await visit.tenant.userinfo(visit.tokens["access_token"]).status == 401)
    let hinted = try await visit.logout([("id_token_hint", visit.hint)])
    #expect(hinted.status == 400)
    // Grants go on: refresh tokens are not signed by these keys.
    let refresh = try #require(visit.tokens["refresh_token"]?.stringValue)
    let tokens = try await visit.request.refresh(refresh).json
    #expect(try await visit.tenant.userinfo(tokens["access_token"]).status == 200)
    let events = try await harness.admin.document(
      .GET, "\(visit.tenant.path)/audit/events?action=signing_key.retired")
    #expect(events["events"]?.arrayValue?.count == 2)
  }

  @Test("The schedule of an organization moves its keys on")
  func schedule() async throws {
    let tenant = try await harness.tenant()
    let url = harness.deployment.databaseURL
    let schema = try TestServices.psql(
      "select schema_name from control.organization where id = '\(tenant.id)'", at: url
    ).trimmingCharacters(in: .whitespacesAndNewlines)
    func now() async throws -> [String] {
      states(try await harness.admin.document(.GET, "\(tenant.path)/keys"), "ES256")
    }
    // As if the days had passed, with the nightly job due now.
    func pass(days: Int, until expected: [String]) async throws {
      try TestServices.psql(
        """
        update \(schema).signing_key
           set created_at = created_at - interval '\(days) days',
               activated_at = activated_at - interval '\(days) days',
               deactivated_at = deactivated_at - interval '\(days) days';
        update control.job_schedule set next_run_at = now()
         where organization_id = '\(tenant.id)' and kind = 'keys.rotate'
        """, at: url)
      for _ in 0..<600 {
        if try await now() == expected { return }
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(try await now() == expected)
    }
    try await pass(days: 77, until: ["current", "next"])
    #expect(try await tenant.keys().count == 4)
    try await pass(days: 15, until: ["previous", "current"])
    try await pass(days: 15, until: ["retired", "current"])
    #expect(try await tenant.keys().count == 2)
  }

  @Test("A client or a setting that asks for an algorithm brings its key about")
  func algorithms() async throws {
    let tenant = try await harness.tenant()
    _ = try await tenant.application(["id_token_signed_response_alg": "ES384"])
    try await harness.admin.document(
      .PATCH, tenant.path, ["settings": ["signing_algorithms": ["RS256", "ES256", "EdDSA"]]])
    let algorithms = try await tenant.metadata()["id_token_signing_alg_values_supported"]
    #expect(
      Set(algorithms?.arrayValue?.compactMap(\.stringValue) ?? [])
        == ["RS256", "ES256", "ES384", "EdDSA"])
    let visit = try await LogoutVisit(
      harness, ["id_token_signed_response_alg": "PS256"], tenant: tenant)
    #expect(try ReadToken(visit.hint).header["alg"] == "PS256")
  }

  @Test(
    "Bad bodies",
    arguments: [
      InvalidBody(["algorithm": "HS256"], ["algorithm"]),
      InvalidBody(["algorithm": 1], ["algorithm"]),
      InvalidBody(["compromised": "yes"], ["compromised"]), InvalidBody(["x": 1], ["x"]),
    ])
  func invalid(_ invalid: InvalidBody) async throws {
    let tenant = try await harness.tenant()
    let reply = try await harness.admin.call(.POST, "\(tenant.path)/keys/rotate", invalid.body)
    #expect(reply.status == 422)
    let fields = reply.json["errors"]?.arrayValue?.compactMap { $0["field"]?.stringValue } ?? []
    #expect(Set(fields) == invalid.fields)
    #expect(try await tenant.keys().count == 2)
  }
}
