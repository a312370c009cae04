import Foundation
import NIOHTTP1
import Platform
import Testing

/// The modules of the Basic plans about claims and the userinfo endpoint.
@Suite("Conformance: Basic and Form Post Basic")
struct BasicClaimsTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-userinfo-get", arguments: ResponseMode.allCases)
  func userInfoGet(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let signIn = try await party.signIn()
    let reply = try await party.tenant.userinfo(signIn.accessToken)
    #expect(reply.status == 200 && reply.contentType == "application/json")
    #expect(reply.json["sub"] == signIn.claims["sub"])
  }

  @Test("oidcc-userinfo-post-header", arguments: ResponseMode.allCases)
  func userInfoPostHeader(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let signIn = try await party.signIn()
    let reply = try await HTTP.send(
      .POST, "\(party.tenant.issuer)/oidc/userinfo",
      headers: [("authorization", "Bearer \(signIn.accessToken?.stringValue ?? "")")])
    #expect(reply.status == 200 && reply.json["sub"] == signIn.claims["sub"])
  }

  @Test("oidcc-userinfo-post-body", arguments: ResponseMode.allCases)
  func userInfoPostBody(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let signIn = try await party.signIn()
    let reply = try await HTTP.post(
      form: [("access_token", signIn.accessToken?.stringValue ?? "")],
      to: "\(party.tenant.issuer)/oidc/userinfo")
    #expect(reply.status == 200 && reply.json["sub"] == signIn.claims["sub"])
  }

  static let profile: Set = [
    "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile",
    "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
  ]
  static let email: Set = ["email", "email_verified"]
  static let phone: Set = ["phone_number", "phone_number_verified"]
  static let address: Set = ["address"]

  /// Asks for scopes, and expects exactly their claims from userinfo and none in the ID token.
  private func scope(_ mode: ResponseMode, _ scope: String, _ expected: Set<String>) async throws {
    let party = try await RelyingParty(harness, mode)
    let signIn = try await party.signIn(["scope": "openid \(scope)"])
    #expect(Set(signIn.claims.names).isDisjoint(with: expected))
    let claims = try await party.tenant.userinfo(signIn.accessToken).json
    #expect(Set(claims.objectValue?.names ?? []) == expected.union(["sub"]))
    for (name, value) in claims.objectValue ?? [:] {
      switch name {
      case "email_verified", "phone_number_verified": #expect(value.boolValue != nil)
      case "updated_at": #expect(value.integerValue != nil)
      case "address": #expect(value["locality"] == "Ghent")
      default: #expect(value.stringValue?.isEmpty == false, "\(name)")
      }
    }
  }

  @Test("oidcc-scope-profile", arguments: ResponseMode.allCases)
  func scopeProfile(_ mode: ResponseMode) async throws {
    try await scope(mode, "profile", Self.profile)
  }

  @Test("oidcc-scope-email", arguments: ResponseMode.allCases)
  func scopeEmail(_ mode: ResponseMode) async throws {
    try await scope(mode, "email", Self.email)
  }

  @Test("oidcc-scope-address", arguments: ResponseMode.allCases)
  func scopeAddress(_ mode: ResponseMode) async throws {
    try await scope(mode, "address", Self.address)
  }

  @Test("oidcc-scope-phone", arguments: ResponseMode.allCases)
  func scopePhone(_ mode: ResponseMode) async throws {
    try await scope(mode, "phone", Self.phone)
  }

  @Test("oidcc-scope-all", arguments: ResponseMode.allCases)
  func scopeAll(_ mode: ResponseMode) async throws {
    try await scope(
      mode, "profile email address phone",
      Self.profile.union(Self.email).union(Self.address).union(Self.phone))
  }

  @Test("oidcc-claims-essential", arguments: ResponseMode.allCases)
  func claimsEssential(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let signIn = try await party.signIn(["claims": #"{"userinfo":{"name":{"essential":true}}}"#])
    let claims = try await party.tenant.userinfo(signIn.accessToken).json
    #expect(Set(claims.objectValue?.names ?? []) == ["sub", "name"])
    #expect(claims["name"]?.stringValue == party.person.name)
  }
}
