import Cryptography
import Database
import FoundationEssentials
import JOSE
import Platform
import Tenancy
import TestSupport
import Testing

@Suite("Tenants and their signing keys")
struct TenantDirectoryTests {
  let harness: TenancyHarness
  var directory: TenantDirectory { harness.tenancy.directory }
  var tenant: Tenant { harness.tenant }

  init() async throws {
    harness = try await .fresh()
  }

  @Test func findsBySlugAndID() async throws {
    let found = try #require(try await directory.find(slug: tenant.slug))
    #expect(found.id == tenant.id)
    #expect(found.issuer == "https://id.example/t/\(tenant.slug)")
    #expect(found.status == .active && !found.isSystem)
    #expect(found.key.blindIndex(.email, "a@b") == tenant.key.blindIndex(.email, "a@b"))
    #expect(try await directory.find(id: .generate(.system, .system)) == nil)
    for slug in ["unknown-slug", "", "a/b", "ü", String(repeating: "x", count: 200)] {
      #expect(try await directory.find(slug: slug) == nil)
    }
  }

  @Test("a change reaches the process that makes it at once, and others by NOTIFY")
  func invalidation() async throws {
    let other = harness.another()
    try await other.serving(harness.test.logger) {
      let (directory, tenant) = (harness.tenancy.directory, harness.tenant)
      #expect(try await directory.find(slug: tenant.slug)?.status == .active)
      #expect(try await other.directory.find(slug: tenant.slug)?.status == .active)
      #expect(try await other.directory.find(id: tenant.id)?.status == .active)
      try await change(.suspended)
      #expect(try await directory.find(slug: tenant.slug)?.status == .suspended)
      try await eventually {
        let bySlug = try await other.directory.find(slug: tenant.slug)
        let byID = try await other.directory.find(id: tenant.id)
        return bySlug?.status == .suspended && byID?.status == .suspended
      }
      try await change(.deleted)
      #expect(try await directory.find(slug: tenant.slug) == nil)
      try await eventually { try await other.directory.find(slug: tenant.slug) == nil }
    }
  }

  @Test func aChangeThatRollsBackIsNotAnnounced() async throws {
    struct Cancelled: Error {}
    #expect(try await directory.find(slug: tenant.slug)?.status == .active)
    await #expect(throws: Cancelled.self) {
      try await harness.database.transaction { tx in
        try await tx.run(SetTestStatus(id: tenant.id, status: .suspended, now: nil))
        try await directory.announceChange(of: tenant.id, in: tx)
        throw Cancelled()
      }
    }
    #expect(try await directory.find(slug: tenant.slug)?.status == .active)
  }

  @Test("RFC 9068 section 4: only this tenant's tokens, for this audience, in their time")
  func accessTokens() async throws {
    let harness = try await TenancyHarness.fresh(signingWith: [.rs256, .es256])
    let tenant = harness.tenant
    let now = harness.clock.clock.now()
    let verifier = harness.tenancy.accessTokens
    for algorithm in [SignatureAlgorithm.rs256, .es256] {
      let key = try await harness.tenancy.keys.keys(of: tenant).current(algorithm)
      let token = AccessToken(
        issuer: tenant.issuer, audience: [tenant.issuer], subject: "shop",
        clientID: try #require(ClientID("shop")), scope: .none,
        id: TokenID(family: nil, random: .system), issuedAt: now,
        expiresAt: now.addingTimeInterval(300), authentication: nil)
      let text = try token.signed(with: key)
      #expect(try await verifier.verify(text, of: tenant, audience: tenant.issuer) == token)
      await #expect(throws: JOSEError.wrongAudience) {
        try await verifier.verify(text, of: tenant, audience: "https://other.example")
      }
      let other = try await TenancyHarness.fresh()
      await #expect(throws: JOSEError.unknownKey) {
        try await other.tenancy.accessTokens.verify(text, of: other.tenant, audience: tenant.issuer)
      }
      let idToken = try JWT.sign(token.claims, type: nil, with: key)
      await #expect(throws: JOSEError.wrongType) {
        try await verifier.verify(idToken, of: tenant, audience: tenant.issuer)
      }
      let late = AccessTokenVerifier(
        ring: harness.tenancy.keys, clock: WallClock { now.addingTimeInterval(306) })
      await #expect(throws: JOSEError.expired) {
        try await late.verify(text, of: tenant, audience: tenant.issuer)
      }
      await #expect(throws: JOSEError.self) {
        try await verifier.verify(text.dropLast(4) + "AAAA", of: tenant, audience: tenant.issuer)
      }
    }
  }

  @Test func aKeyThatIsPublishedVerifiesBeforeItSigns() async throws {
    let next = try GeneratedSigningKey(
      .es256, state: .next, for: tenant.key, clock: harness.clock.clock, random: .system)
    try await harness.database.transaction(in: tenant.schema) { tx in
      try await harness.tenancy.keys.install([next], in: tx, tenant: tenant)
    }
    let keys = try await harness.tenancy.keys.keys(of: tenant)
    #expect(keys.verificationKey(next.kid) != nil)
    #expect(try keys.current(.es256).keyID != next.kid)
    #expect(String(decoding: keys.publishedBytes, as: UTF8.self).contains(next.kid))
  }

  private func change(_ status: TenantStatus) async throws {
    try await harness.database.transaction { tx in
      try await tx.run(
        SetTestStatus(
          id: tenant.id, status: status,
          now: status == .deleted ? harness.clock.clock.now() : nil))
      try await directory.announceChange(of: tenant.id, in: tx)
    }
  }
}
