import JOSE
import Foundation
import NIOHTTP1
import Platform

/// An application that registers itself, as the Dynamic plan runs it: `private_key_jwt`, PKCE, discovery.
struct DynamicParty: Sendable {
  static let redirectURI = "https://app.example.org/callback"
  /// RFC 7636 appendix B.
  static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
  static let proof: [String: String?] = [
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
  ]

  let party: RelyingParty
  var key: TestKey
  /// What the registration endpoint answered.
  let registration: JSON

  var tenant: TestTenant { party.tenant }

  /// An organization where everybody may register.
  static func tenant(_ harness: Harness) async throws -> TestTenant {
    let tenant = try await harness.tenant()
    try await tenant.settings(["registration": "open"])
    return tenant
  }

  /// Registers a client with this metadata; keys are given as `jwks` unless it says otherwise.
  init(
    _ harness: Harness, _ changes: JSONObject = [:], key: TestKey? = nil,
    tenant given: TestTenant? = nil
  ) async throws {
    let key = if let key { key } else { try TestKey(.rs256) }
    let tenant = if let given { given } else { try await Self.tenant(harness) }
    let reply = try await tenant.register(Self.metadata(key).merging(changes))
    guard reply.status == 201, let id = reply.json["client_id"]?.stringValue else {
      throw TestFailure("No registration: \(reply)")
    }
    self.key = key
    registration = reply.json
    let address = reply.json["redirect_uris"]?.arrayValue?.first?.stringValue ?? ""
    party = RelyingParty(
      mode: .query, tenant: tenant,
      application: TestApplication(id: id, secret: nil, redirectURI: address),
      person: try await tenant.person())
  }

  static func metadata(_ key: TestKey) -> JSONObject {
    [
      "client_name": "Dynamic application", "redirect_uris": [.string(redirectURI)],
      "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
      "token_endpoint_auth_method": "private_key_jwt", "jwks": key.set,
    ]
  }

  func authorize(_ changes: [String: String?] = [:]) async throws -> RelyingParty.Answer {
    try await party.authorize(Self.proof.merging(changes) { $1 })
  }

  func signIn(_ changes: [String: String?] = [:]) async throws -> RelyingParty.SignIn {
    let answer = try await authorize(changes)
    return try await RelyingParty.SignIn(answer, redeem(answer.code), party)
  }

  func redeem(_ code: String?) async throws -> Reply {
    try await token([
      ("grant_type", "authorization_code"), ("code", code ?? ""),
      ("redirect_uri", party.application.redirectURI), ("code_verifier", Self.verifier),
    ])
  }

  /// A token request with an assertion of the current key; its audience is the issuer.
  func token(_ form: [(String, String)]) async throws -> Reply {
    let claims = TestKey.claims(
      party.application.id, party.application.id, for: tenant.issuer)
    return try await tenant.post(
      "oauth2/token", form.with(assertion: try key.sign(claims)))
  }
}

extension TestTenant {
  func register(_ metadata: JSONObject) async throws -> Reply {
    let endpoint = try await self.metadata()["registration_endpoint"]?.stringValue ?? ""
    return try await HTTP.send(
      .POST, endpoint, headers: [("content-type", "application/json")],
      body: JSON.object(metadata).encoded())
  }
}
