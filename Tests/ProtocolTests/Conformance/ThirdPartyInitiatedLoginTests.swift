import JOSE
import Foundation
import Platform
import Testing

/// `oidcc-3rdparty-init-login-certification-test-plan`.
@Suite("Conformance: Third-Party Initiated Login")
struct ThirdPartyInitiatedLoginTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-3rd_party-init-login")
  func stored() async throws {
    let dynamic = try await DynamicParty(
      harness, ["initiate_login_uri": "https://app.example.org/login"])
    #expect(dynamic.registration["initiate_login_uri"] == "https://app.example.org/login")
    let address = try #require(dynamic.registration["registration_client_uri"]?.stringValue)
    let token = try #require(dynamic.registration["registration_access_token"]?.stringValue)
    let reply = try await HTTP.get(address, headers: [("authorization", "Bearer \(token)")])
    #expect(reply.json["initiate_login_uri"] == "https://app.example.org/login")
  }

  @Test("oidcc-3rd_party-init-login-nohttps")
  func plain() async throws {
    let tenant = try await DynamicParty.tenant(harness)
    let reply = try await tenant.register(
      DynamicParty.metadata(TestKey(.rs256)).merging([
        "initiate_login_uri": "http://app.example.org/login"
      ]))
    #expect(reply.status == 400 && reply.json["error"] == "invalid_client_metadata")
  }
}
