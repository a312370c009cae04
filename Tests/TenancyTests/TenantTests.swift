import FoundationEssentials
import Platform
@testable import Tenancy
import Testing

@Suite("Design section 3: what a tenant is")
struct TenantTests {
  @Test func settingsHaveDefaults() throws {
    let settings = try TenantSettings(validating: [:])
    #expect(settings == TenantSettings())
    #expect(settings.accessTokenLifetimeSeconds == 300)
    #expect(settings.authorizationCodeLifetimeSeconds == 60)
    #expect(settings.refreshTokenLifetimeSeconds == 30 * 86_400)
    #expect(!settings.skipsConsentForFirstParty)
    #expect(settings.recordsIPAddress && settings.recordsUserAgent)
    #expect(try TenantSettings(stored: settings.json.merging(["from_later": 1])) == settings)
  }

  @Test(arguments: [
    ("access_token_lifetime_seconds", JSON.integer(29)), ("access_token_lifetime_seconds", "300"),
    ("authorization_code_lifetime_seconds", .integer(61)), ("record_ip_address", "no"),
    ("language", "not a tag"), ("language", ""),
    ("userinfo_acr_values", .strings(["two words"])),
    ("userinfo_acr_values", .strings(["\"quoted\""])),
    ("userinfo_acr_values", "urn:gold"),
    ("session_idle_lifetime_seconds", .integer(20 * 86_400)),
    ("unknown", true),
  ])
  func refuses(_ name: String, _ value: JSON) {
    #expect(throws: ClaimErrors.self) { try TenantSettings(validating: [name: value]) }
  }

  @Test func aPatchGoesBackToTheDefaultWithNull() throws {
    let changed = try TenantSettings().applying([
      "access_token_lifetime_seconds": 600, "language": "de",
    ])
    #expect(changed.accessTokenLifetimeSeconds == 600)
    #expect(try changed.applying(["access_token_lifetime_seconds": .null]).language == "de")
    #expect(
      try changed.applying(["access_token_lifetime_seconds": .null]).accessTokenLifetimeSeconds
        == 300)
  }

  @Test func issuersHaveNoDoubleSlash() {
    #expect(Tenant.issuer(base: "https://id.example", slug: "acme") == "https://id.example/t/acme")
    #expect(Tenant.issuer(base: "https://id.example/", slug: "acme") == "https://id.example/t/acme")
  }

  @Test func changesHaveAPayloadAndBack() throws {
    let tenant = TenantID.generate(.system, .system)
    let changes: [TenancyChange] = [
      .tenant(tenant), .keys(tenant), .client(tenant, try #require(ClientID("shop"))),
    ]
    for change in changes { #expect(TenancyChange(change.payload) == change) }
    #expect(changes[2].payload == "\(tenant) client shop")
    for junk in [
      "", "x", "\(tenant) other", "\(tenant) client", "\(tenant) client a b", "\(tenant) ",
    ] {
      #expect(TenancyChange(junk) == nil)
    }
  }

  @Test(arguments: ["", " ", "a b", "ü", String(repeating: "x", count: 129), "a\u{0}"])
  func clientIDsAreVisibleASCII(_ text: String) {
    #expect(ClientID(text) == nil)
  }
}

@Suite("Cached rows are never stale")
struct SharedCacheTests {
  let clock = ManualClock(.init(timeIntervalSince1970: 0))

  @Test func loadsOnceWhileSomebodyListens() async throws {
    let feed = ChangeFeed()
    feed.isListening = true
    let cache = SharedCache<Int, Int>(capacity: 2, feed: feed, clock: clock.clock)
    #expect(try await cache.value(for: 1) { 1 } == 1)
    clock.advance(bySeconds: 100)
    #expect(try await cache.value(for: 1) { 2 } == 1)
    cache.invalidate(1)
    #expect(try await cache.value(for: 1) { 3 } == 3)
    cache.invalidateAll { _, value in value == 3 }
    #expect(try await cache.value(for: 1) { nil } == nil)
    #expect(try await cache.value(for: 1) { 4 } == 4)
  }

  @Test func trustsASecondWhenNobodyListens() async throws {
    let cache = SharedCache<Int, Int>(capacity: 2, feed: ChangeFeed(), clock: clock.clock)
    #expect(try await cache.value(for: 1) { 1 } == 1)
    clock.advance(bySeconds: 0.9)
    #expect(try await cache.value(for: 1) { 2 } == 1)
    clock.advance(bySeconds: 0.2)
    #expect(try await cache.value(for: 1) { 3 } == 3)
  }

  @Test func feedNumbersItsChangesWhileSomebodyListens() throws {
    let feed = ChangeFeed()
    #expect(feed.generation == nil)
    feed.isListening = true
    let first = try #require(feed.generation)
    feed.noteChange()
    #expect(try #require(feed.generation) != first)
    feed.isListening = false
    #expect(feed.generation == nil)
  }

  @Test func doesNotKeepWhatChangedDuringTheLoad() async throws {
    let feed = ChangeFeed()
    feed.isListening = true
    let cache = SharedCache<Int, Int>(capacity: 2, feed: feed, clock: clock.clock)
    let loaded = try await cache.value(for: 1) {
      cache.invalidate(1)
      return 1
    }
    #expect(loaded == 1)
    #expect(try await cache.value(for: 1) { 2 } == 2)
  }
}
