import Database
import FoundationEssentials
import JOSE
import Platform
@testable import Tenancy
import Testing

/// A signature is verified once (decision record 0006); everything else about a token each time.
@Suite("RFC 9068 section 4: a token that is presented again")
struct VerifiedTokenTests {
  let harness: TenancyHarness
  let token: String

  init() async throws {
    harness = try await TenancyHarness.fresh()
    let (tenant, now) = (harness.tenant, harness.clock.clock.now())
    let access = AccessToken(
      issuer: tenant.issuer, audience: [tenant.issuer], subject: "shop",
      clientID: try #require(ClientID("shop")), scope: .none,
      id: TokenID(family: nil, random: .system), issuedAt: now,
      expiresAt: now.addingTimeInterval(60), authentication: nil)
    token = try access.signed(with: try await harness.tenancy.keys.keys(of: tenant).current(.es256))
    #expect(try await verify() == access)
    #expect(try await verify() == access)
  }

  private func verify(audience: String? = nil, of tenant: Tenant? = nil) async throws -> AccessToken
  {
    let tenant = tenant ?? harness.tenant
    return try await harness.tenancy.accessTokens.verify(
      token, of: tenant, audience: audience ?? tenant.issuer)
  }

  @Test func expires() async throws {
    harness.clock.advance(bySeconds: 66)
    await #expect(throws: JOSEError.expired) { try await verify() }
  }

  @Test func isForItsAudienceOnly() async throws {
    await #expect(throws: JOSEError.wrongAudience) {
      try await verify(audience: "https://other.example")
    }
  }

  @Test func isNobodyElses() async throws {
    let other = try await TenancyHarness.fresh()
    await #expect(throws: JOSEError.unknownKey) {
      try await other.tenancy.accessTokens.verify(
        token, of: other.tenant, audience: other.tenant.issuer)
    }
  }

  @Test func isVoidWhenItsKeyIsWithdrawn() async throws {
    try await harness.database.run(
      RetireTestSigningKeys(now: harness.clock.clock.now()), in: harness.tenant.schema)
    harness.tenancy.keys.forget(harness.tenant.id)
    await #expect(throws: JOSEError.unknownKey) { try await verify() }
  }

  @Test func isNotAnotherOneThatDiffersInAByte() async throws {
    let forged = String(token.dropLast(2)) + (token.hasSuffix("AA") ? "BA" : "AA")
    await #expect(throws: (any Error).self) {
      try await harness.tenancy.accessTokens.verify(
        forged, of: harness.tenant, audience: harness.tenant.issuer)
    }
  }
}

struct RetireTestSigningKeys: Statement {
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).signing_key
       set state = 'retired', private_key = null, retired_at = \(\.now)
    """
}
