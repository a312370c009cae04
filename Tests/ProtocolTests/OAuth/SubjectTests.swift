import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("OpenID Connect Core sections 5.5 and 8: claims and subjects over HTTP")
struct SubjectTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("Pairwise: one name per sector, the same everywhere, and never the user's id")
  func pairwise() async throws {
    let pairwise: JSONObject = ["subject_type": "pairwise"]
    let party = try await RelyingParty(harness, .query, pairwise)
    let signIn = try await party.signIn(["scope": "openid offline_access"])
    let subject = try #require(signIn.claims["sub"]?.stringValue)
    #expect(subject != party.person.id)
    let access = try ReadToken(signIn.accessToken?.stringValue).claims
    #expect(access["sub"]?.stringValue == subject)
    #expect(!access.text.contains(party.person.id))
    let userinfo = try await party.tenant.userinfo(signIn.accessToken).json
    #expect(userinfo["sub"]?.stringValue == subject)
    for token in [signIn.accessToken, signIn.tokens["refresh_token"]] {
      let known = try await party.tenant.introspect(token, by: party.application)
      #expect(known["active"] == true && known["sub"]?.stringValue == subject)
    }
    // The same sector, the same name; another sector, another one.
    let sibling = party.with(try await RelyingParty.application(of: party.tenant, pairwise))
    #expect(try await sibling.signIn().claims["sub"]?.stringValue == subject)
    let other = party.with(
      try await RelyingParty.application(
        of: party.tenant,
        pairwise.merging(["redirect_uris": ["https://elsewhere.example.org/callback"]])))
    #expect(try await other.signIn().claims["sub"]?.stringValue != subject)
    // A hint is understood, the client's own and another's.
    for client in [party, sibling, other] {
      let again = try await client.authorize(["prompt": "none", "id_token_hint": signIn.idToken])
      #expect(again.code != nil)
    }
  }

  @Test("sub as a requested claim: only tokens of that user")
  func requestedSubject() async throws {
    let party = try await RelyingParty(harness, .query)
    let subject = try await party.signIn().claims["sub"]?.stringValue ?? ""
    let asks: (String) -> [String: String?] = { sub in
      ["prompt": "none", "claims": #"{"id_token":{"sub":{"value":"\#(sub)"}}}"#]
    }
    #expect(try await party.authorize(asks(subject)).code != nil)
    #expect(try await party.authorize(asks("somebody")).error == "login_required")
    let wrong = try await party.authorize([
      "claims": #"{"id_token":{"sub":{"value":"somebody"}}}"#
    ])
    #expect(wrong.askedForPassword && wrong.error == "access_denied")
  }

  @Test("Claims by name: asked for, consented to, told, and kept for the refresh")
  func claims() async throws {
    let party = try await RelyingParty(harness, .query)
    _ = try await party.signIn()
    let asks = [
      "scope": "openid offline_access",
      "claims":
        #"{"userinfo":{"phone_number":null,"updated_at":null},"id_token":{"email":null}}"#,
    ]
    let signIn = try await party.signIn(asks)
    let page = try #require(signIn.answer.pages.last)
    #expect(page.text.contains("phone number") && page.text.contains("email"))
    #expect(signIn.claims["email"]?.stringValue == party.person.email)
    let userinfo = try await party.tenant.userinfo(signIn.accessToken).json
    #expect(Set(userinfo.objectValue?.names ?? []) == ["sub", "phone_number", "updated_at"])
    let refreshed = try await party.refresh(signIn.tokens["refresh_token"]).json
    let claims = try ReadToken(refreshed["id_token"]?.stringValue).claims
    #expect(claims["email"]?.stringValue == party.person.email)
    #expect(
      try await party.tenant.userinfo(refreshed["access_token"]).json["phone_number"] != nil)
    // Consent to some claims is no consent to others.
    let more = try await party.authorize([
      "prompt": "none", "claims": #"{"userinfo":{"birthdate":null}}"#,
    ])
    #expect(more.error == "consent_required")
    #expect(try await party.authorize(asks.merging(["prompt": "none"]) { $1 }).code != nil)
  }

  @Test("An essential acr that cannot be reached is refused")
  func essentialContextClass() async throws {
    let party = try await RelyingParty(harness, .query)
    let answer = try await party.authorize([
      "claims": #"{"id_token":{"acr":{"essential":true,"value":"urn:gold"}}}"#
    ])
    #expect(answer.error == "unmet_authentication_requirements")
  }

  @Test("RFC 9470: userinfo asks for a fresh sign-in where the organization wants one")
  func stepUp() async throws {
    let party = try await RelyingParty(harness, .query)
    let signIn = try await party.signIn(["max_age": "1000"])
    #expect(try await party.tenant.userinfo(signIn.accessToken).status == 200)
    try await party.outgrowSignIn()
    try await party.tenant.settings(["userinfo_authentication_max_age_seconds": 1])
    let old = try await party.tenant.userinfo(signIn.accessToken)
    #expect(old.status == 401)
    let challenge = old.headers.first(name: "www-authenticate") ?? ""
    #expect(challenge.contains("error=\"insufficient_user_authentication\""))
    #expect(challenge.contains("max_age=\"1\""))
    try await party.tenant.settings(["userinfo_authentication_max_age_seconds": 1000])
    #expect(try await party.tenant.userinfo(signIn.accessToken).status == 200)
  }

  @Test("RFC 9470: userinfo asks for a sign-in of the class the organization wants, and says which")
  func stepUpToClass() async throws {
    let party = try await RelyingParty(harness, .query)
    let signIn = try await party.signIn()
    try await party.tenant.settings([
      "userinfo_acr_values": ["urn:gold", "urn:tenure:acr:silver"]
    ])
    let weak = try await party.tenant.userinfo(signIn.accessToken)
    #expect(weak.status == 401)
    let challenge = weak.headers.first(name: "www-authenticate") ?? ""
    #expect(challenge.contains("error=\"insufficient_user_authentication\""))
    #expect(challenge.contains("acr_values=\"urn:gold urn:tenure:acr:silver\""))
    #expect(!challenge.contains("max_age"))
    let acr = try #require(signIn.claims["acr"]?.stringValue)
    try await party.tenant.settings(["userinfo_acr_values": ["urn:gold", .string(acr)]])
    // Section 4: what the challenge says is what the application asks for.
    let stronger = try await party.signIn(["acr_values": "urn:gold \(acr)"])
    #expect(stronger.claims["acr"]?.stringValue == acr)
    #expect(try await party.tenant.userinfo(stronger.accessToken).status == 200)
  }
}
