import NIOHTTP1
import JOSE
import Foundation
import Platform
import Testing

/// The modules of `oidcc-dynamic-certification-test-plan` about what a client registers.
@Suite("Conformance: Dynamic")
struct DynamicRegistrationTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-redirect-uri-regfrag")
  func fragment() async throws {
    let tenant = try await DynamicParty.tenant(harness)
    let reply = try await tenant.register(
      DynamicParty.metadata(TestKey(.rs256)).merging([
        "redirect_uris": ["https://app.example.org/callback#fragment"]
      ]))
    #expect(reply.status == 400 && reply.contentType == "application/json")
    let error = reply.json["error"]?.stringValue ?? ""
    #expect(["invalid_redirect_uri", "invalid_client_metadata"].contains(error))
  }

  /// The pages a person sees on the way to an application that registered this.
  private func pages(_ changes: JSONObject) async throws -> [Reply] {
    let pages = try await DynamicParty(harness, changes).authorize().pages
    #expect(pages.count == 2)
    return pages
  }

  @Test("oidcc-registration-logo-uri")
  func logo() async throws {
    for page in try await pages(["logo_uri": "https://cdn.example.org/logo.png"]) {
      #expect(page.text.contains("<img class=\"logo\" src=\"https://cdn.example.org/logo.png\""))
      let policy = page.headers.first(name: "content-security-policy") ?? ""
      #expect(policy.contains("img-src 'self' data: https://cdn.example.org;"))
    }
  }

  @Test("oidcc-registration-policy-uri")
  func policy() async throws {
    for page in try await pages(["policy_uri": "https://app.example.org/policy"]) {
      #expect(page.text.contains("<a href=\"https://app.example.org/policy\""))
    }
  }

  @Test("oidcc-registration-tos-uri")
  func terms() async throws {
    for page in try await pages(["tos_uri": "https://app.example.org/terms"]) {
      #expect(page.text.contains("<a href=\"https://app.example.org/terms\""))
    }
  }

  @Test("oidcc-registration-jwks-uri")
  func keys() async throws {
    try await LoopbackServer.run { server in
      let key = try TestKey(.rs256)
      server.publish(key.set, at: "/jwks")
      let dynamic = try await DynamicParty(
        harness, ["jwks": .null, "jwks_uri": .string("\(server.address)/jwks")], key: key)
      #expect(try await dynamic.signIn().claims["sub"] != nil)
    }
  }

  @Test("oidcc-registration-sector-uri")
  func sector() async throws {
    try await LoopbackServer.run { server in
      server.publish(
        .strings([DynamicParty.redirectURI]), at: "/sector")
      let changes: JSONObject = [
        "sector_identifier_uri": .string("\(server.address)/sector"), "subject_type": "pairwise",
      ]
      let first = try await DynamicParty(harness, changes)
      #expect(first.registration["sector_identifier_uri"] == changes["sector_identifier_uri"])
      #expect(try await first.signIn().claims["sub"]?.stringValue != first.party.person.id)
    }
  }

  @Test("oidcc-registration-sector-bad")
  func sectorBad() async throws {
    try await LoopbackServer.run { server in
      server.publish(
        ["https://other.example.org/callback"], at: "/sector")
      let tenant = try await DynamicParty.tenant(harness)
      let reply = try await tenant.register(
        DynamicParty.metadata(TestKey(.rs256)).merging([
          "sector_identifier_uri": .string("\(server.address)/sector")
        ]))
      #expect(reply.status == 400 && reply.json["error"] == "invalid_client_metadata")
    }
  }
}
