import NIOHTTP1
import Foundation
import NIOHTTP1
import Platform
import Testing

/// A module of `oidcc-dynamic-certification-test-plan` that an operator takes part in.
@Suite("Conformance: Dynamic")
struct DynamicRotateKeysTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-server-rotate-keys")
  func rotate() async throws {
    let visit = try await LogoutVisit(harness)
    let before = Set(try await visit.tenant.keys().compactMap { $0["kid"]?.stringValue })
    let document = try await harness.admin.document(
      .POST, "\(visit.tenant.path)/keys/rotate", [:])
    let states = (document["keys"]?.arrayValue ?? []).compactMap { $0["state"]?.stringValue }
    #expect(states.filter { $0 == "current" }.count == 2)
    #expect(states.filter { $0 == "previous" }.count == 2)
    let after = Set(try await visit.tenant.keys().compactMap { $0["kid"]?.stringValue })
    #expect(before.isSubset(of: after) && after.count == before.count + 2)
    // New tokens have the new key, and the old ones still count.
    let tokens = try await visit.request.tokens(visit.person, with: visit.browser)
    for name in ["id_token", "access_token"] {
      let kid = try ReadToken(tokens[name]?.stringValue).header["kid"]?.stringValue ?? ""
      #expect(after.subtracting(before).contains(kid))
    }
    #expect(try await visit.tenant.userinfo(visit.tokens["access_token"]).status == 200)
    let reply = try await visit.logout([
      ("id_token_hint", visit.hint), ("post_logout_redirect_uri", LogoutVisit.goodbye),
    ])
    #expect(reply.location == LogoutVisit.goodbye)
  }
}
