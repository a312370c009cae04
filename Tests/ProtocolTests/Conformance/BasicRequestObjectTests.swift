import Foundation
import Platform
import Testing

/// The modules of the Basic plans about request objects (OpenID Connect Core section 6).
@Suite("Conformance: Basic and Form Post Basic")
struct BasicRequestObjectTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test(
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
    arguments: ResponseMode.allCases)
  func unsignedByValue(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode, ["request_object_signing_alg": "none"])
    let object = try RequestObjectText(["nonce": "inside", "state": "inside"]).unsigned
    let answer = try await party.authorize(["request": object, "nonce": "outside"])
    #expect(answer.parameters["state"] == "inside")
    let signIn = try await RelyingParty.SignIn(answer, party.redeem(answer.code), party)
    #expect(signIn.claims["nonce"] == "inside")
    // Where it is not registered it is refused, never ignored.
    let other = party.with(try await RelyingParty.application(of: party.tenant))
    #expect(try await other.authorize(["request": object]).error == "invalid_request_object")
  }

  @Test(
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
    arguments: ResponseMode.allCases)
  func unsignedByReference(_ mode: ResponseMode) async throws {
    try await LoopbackServer.run { server in
      let address = "\(server.address)/request"
      server.publish(
        try RequestObjectText(["nonce": "inside"]).unsigned, type: "application/jwt",
        at: "/request")
      let party = try await RelyingParty(
        harness, mode,
        ["request_object_signing_alg": "none", "request_uris": [.string(address)]])
      let signIn = try await party.signIn(["request_uri": address, "nonce": "outside"])
      #expect(signIn.claims["nonce"] == "inside")
      let other = party.with(try await RelyingParty.application(of: party.tenant))
      #expect(
        try await other.authorize(["request_uri": address]).error == "invalid_request_object")
    }
  }

  @Test("oidcc-ensure-request-object-with-redirect-uri", arguments: ResponseMode.allCases)
  func redirectInside(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode, ["request_object_signing_alg": "none"])
    let object = try RequestObjectText([
      "redirect_uri": .string(party.application.redirectURI)
    ]).unsigned
    let answer = try await party.authorize([
      "request": object, "redirect_uri": "https://evil.example/callback",
    ])
    #expect(answer.code != nil)
    let bad = try RequestObjectText(["redirect_uri": "https://evil.example/callback"]).unsigned
    let reply = try await HTTP.get(party.url(["request": bad]))
    #expect(reply.status == 400 && reply.location == nil)
  }
}
