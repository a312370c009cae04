import Foundation
import Platform
import Testing

/// The modules of the Basic plans about who is signed in, and since when.
@Suite("Conformance: Basic and Form Post Basic")
struct BasicPromptTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-prompt-login", arguments: ResponseMode.allCases)
  func promptLogin(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let first = try await party.signIn()
    try await party.outgrowSignIn()
    let second = try await party.signIn(["prompt": "login"])
    #expect(second.answer.askedForPassword)
    #expect(second.authTime > first.authTime)
    #expect(second.claims["sub"] == first.claims["sub"])
  }

  @Test("oidcc-prompt-none-not-logged-in", arguments: ResponseMode.allCases)
  func promptNoneNobody(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let answer = try await party.authorize(["prompt": "none"])
    #expect(answer.error == "login_required")
    #expect(answer.parameters["state"] == party.state)
    #expect(answer.code == nil && answer.pages.isEmpty)
  }

  @Test("oidcc-prompt-none-logged-in", arguments: ResponseMode.allCases)
  func promptNone(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let first = try await party.signIn()
    let second = try await party.signIn(["prompt": "none"])
    #expect(second.answer.pages.isEmpty)
    #expect(second.claims["sub"] == first.claims["sub"])
    #expect(second.authTime == first.authTime)
  }

  @Test("oidcc-max-age-1", arguments: ResponseMode.allCases)
  func maxAge1(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let first = try await party.signIn()
    try await party.outgrowSignIn()
    let second = try await party.signIn(["max_age": "1"])
    #expect(second.answer.askedForPassword)
    #expect(second.authTime > first.authTime)
    #expect(abs(Date().timeIntervalSince1970 - Double(second.authTime)) < 60)
  }

  @Test("oidcc-max-age-10000", arguments: ResponseMode.allCases)
  func maxAge10000(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let first = try await party.signIn(["max_age": "15000"])
    let second = try await party.signIn(["max_age": "10000"])
    #expect(!second.answer.askedForPassword)
    #expect(first.authTime > 0 && second.authTime == first.authTime)
    #expect(second.claims["sub"] == first.claims["sub"])
  }

  @Test("oidcc-id-token-hint", arguments: ResponseMode.allCases)
  func idTokenHint(_ mode: ResponseMode) async throws {
    let party = try await RelyingParty(harness, mode)
    let first = try await party.signIn()
    let second = try await party.signIn(["prompt": "none", "id_token_hint": first.idToken])
    #expect(second.claims["sub"] == first.claims["sub"])
    #expect(second.authTime == first.authTime)
  }
}
