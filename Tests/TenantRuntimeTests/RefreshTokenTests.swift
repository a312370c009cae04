import Cryptography
import FoundationEssentials
import Platform
import Tenancy
import Testing
import Web

@testable import TenantRuntime

@Suite("Decision 0003: derived refresh tokens")
struct RefreshTokenTests {
  let key = HMACKey(Array(repeating: 7, count: 32))
  let family = ID<TokenFamily>(UUID())

  @Test func roundTrip() {
    for generation in [Int32(1), 2, 255, 256, 70_000, .max] {
      let token = RefreshToken(family: family, generation: generation)
      #expect(RefreshToken(token.text(key: key), key: key) == token)
    }
  }

  @Test func sameInputSameToken() {
    let token = RefreshToken(family: family, generation: 3)
    #expect(token.text(key: key) == token.text(key: key))
    #expect(
      token.text(key: key) != RefreshToken(family: family, generation: 4).text(key: key))
  }

  @Test func refusesWhatTheKeyDidNotMake() throws {
    let text = RefreshToken(family: family, generation: 1).text(key: key)
    #expect(RefreshToken(text, key: HMACKey(Array(repeating: 8, count: 32))) == nil)
    #expect(RefreshToken("", key: key) == nil)
    #expect(RefreshToken(text + "A", key: key) == nil)
    #expect(RefreshToken(text + "=", key: key) == nil)
    let bytes = try #require(Base64URL.decode(text))
    for position in bytes.indices {
      var changed = bytes
      changed[position] ^= 1
      #expect(RefreshToken(Base64URL.encode(changed), key: key) == nil)
    }
  }

  @Test func generationZeroIsNoToken() {
    let text = RefreshToken(family: family, generation: 0).text(key: key)
    #expect(RefreshToken(text, key: key) == nil)
  }
}

@Suite("OAuth 2.1 section 4.3.1: what presenting a refresh token means")
struct RefreshDecisionTests {
  static let now = Date(timeIntervalSince1970: 1_800_000_000)

  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var generation: Int32 = 5
    var presented: Int32 = 5
    var rotatedSecondsAgo: Double? = 2
    var client = "web"
    var revoked = false
    var expired = false
    var userActive = true
    var sessionEnded = false
    var scope = "openid"
    let expected: String
  }

  @Test(arguments: [
    Row(testDescription: "latest", expected: "rotate"),
    Row(
      testDescription: "first", generation: 1, presented: 1, rotatedSecondsAgo: nil,
      expected: "rotate"),
    Row(testDescription: "previous within grace", presented: 4, expected: "repeat"),
    Row(
      testDescription: "previous at the end of the grace", presented: 4, rotatedSecondsAgo: 10,
      expected: "repeat"),
    Row(
      testDescription: "previous after the grace", presented: 4, rotatedSecondsAgo: 10.1,
      expected: "revoke"),
    Row(testDescription: "two behind: the successor was used", presented: 3, expected: "revoke"),
    Row(testDescription: "oldest", presented: 1, expected: "revoke"),
    Row(testDescription: "never issued", presented: 6, expected: "refuse"),
    Row(testDescription: "other client", client: "other", expected: "refuse"),
    Row(
      testDescription: "other client with an old token", presented: 1, client: "other",
      expected: "refuse"),
    Row(testDescription: "revoked", revoked: true, expected: "refuse"),
    Row(testDescription: "expired", expired: true, expected: "refuse"),
    Row(testDescription: "user disabled", userActive: false, expected: "refuse"),
    Row(testDescription: "session ended", sessionEnded: true, expected: "refuse"),
    Row(
      testDescription: "session ended, offline", sessionEnded: true, scope: "openid offline_access",
      expected: "rotate"),
  ])
  func decides(_ row: Row) throws {
    let family = TokenFamily(
      id: ID(UUID()), user: ID(UUID()), client: try #require(ClientID("web")), session: ID(UUID()),
      scope: try #require(OAuthScope(row.scope)), authenticatedAt: Self.now, acr: "0", amr: ["pwd"],
      generation: row.generation,
      rotatedAt: row.rotatedSecondsAgo.map { Self.now.addingTimeInterval(-$0) },
      expiresAt: Self.now.addingTimeInterval(row.expired ? 0 : 60),
      revokedAt: row.revoked ? Self.now : nil, isUserActive: row.userActive,
      isSessionEnded: row.sessionEnded)
    let decision = family.refreshDecision(
      generation: row.presented, client: try #require(ClientID(row.client)), now: Self.now,
      graceSeconds: 10)
    let name =
      switch decision {
      case .rotate: "rotate"
      case .repeatSuccessor: "repeat"
      case .refuse(let error): error.code == .invalidGrant ? "refuse" : "wrong code"
      case .revokeFamily(let error): error.code == .invalidGrant ? "revoke" : "wrong code"
      }
    #expect(name == row.expected)
  }
}
