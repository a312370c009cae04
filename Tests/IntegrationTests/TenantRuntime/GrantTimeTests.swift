import Cryptography
import Database
import FoundationEssentials
import Platform
import Tenancy
import Testing
import Web

@testable import TenantRuntime

@Suite("Codes, refresh tokens and sessions as time passes")
struct GrantTimeTests {
  @Test("RFC 9700 section 2.1.1: a code lives for a minute")
  func codeExpires() async throws {
    let harness = try await GrantHarness.fresh()
    let session = try await harness.signIn().session
    let (first, second) = (try await harness.code(session), try await harness.code(session))
    harness.clock.advance(bySeconds: 59)
    _ = try await harness.redeem(first)
    harness.clock.advance(bySeconds: 1)
    try await harness.expectInvalidGrant("code expired") { try await harness.redeem(second) }
  }

  @Test("Decision 0003: within the grace the same successor, after it the end of the family")
  func grace() async throws {
    let harness = try await GrantHarness.fresh()
    let session = try await harness.signIn().session
    let first = try await harness.redeem(harness.code(session)).refreshToken
    let second = try await harness.refresh(first).refreshToken
    harness.clock.advance(bySeconds: Double(harness.settings.refreshGraceSeconds))
    let repeated = try await harness.refresh(first).refreshToken
    #expect(repeated == second)
    harness.clock.advance(bySeconds: 0.001)
    try await harness.expectInvalidGrant("refresh token reused") {
      try await harness.refresh(first)
    }
    try await harness.expectInvalidGrant("token family revoked") {
      try await harness.refresh(second)
    }
    let events = try await harness.base.events().map(\.action)
    #expect(events.filter { $0 == "token.refresh_token_reused" }.count == 1)
  }

  @Test("A repeated request does not make the grace longer")
  func graceIsFixed() async throws {
    let harness = try await GrantHarness.fresh()
    let session = try await harness.signIn().session
    let first = try await harness.redeem(harness.code(session)).refreshToken
    _ = try await harness.refresh(first)
    for _ in 0..<2 {
      harness.clock.advance(bySeconds: 4)
      _ = try await harness.refresh(first)
    }
    harness.clock.advance(bySeconds: 4)
    try await harness.expectInvalidGrant("refresh token reused") {
      try await harness.refresh(first)
    }
  }

  @Test("A grant ends when its lifetime does, however often it was refreshed")
  func familyExpires() async throws {
    let harness = try await GrantHarness.fresh()
    let session = try await harness.signIn().session
    var token = try await harness.redeem(harness.code(session)).refreshToken
    let lifetime = Double(harness.tenant.settings.refreshTokenLifetimeSeconds)
    harness.clock.advance(bySeconds: lifetime - 1)
    token = try await harness.refresh(token).refreshToken
    harness.clock.advance(bySeconds: 1)
    try await harness.expectInvalidGrant("refresh token expired") {
      try await harness.refresh(token)
    }
  }

  @Test("Signing out ends grants of the session, and those with offline_access stay")
  func signOut() async throws {
    let harness = try await GrantHarness.fresh()
    let session = try await harness.signIn().session
    let online = try await harness.redeem(harness.code(session, scope: "openid")).refreshToken
    let offline = try await harness.redeem(harness.code(session)).refreshToken
    let unused = try await harness.code(session)
    _ = try await harness.sessions.end(session, in: harness.tenant, origin: TenancyHarness.origin)
    try await harness.expectInvalidGrant("token family revoked") {
      try await harness.refresh(online)
    }
    _ = try await harness.refresh(offline)
    try await harness.expectInvalidGrant("unknown code") {
      try await harness.redeem(unused)
    }
  }

  @Test(
    "A session that is used stays, one that is not used ends, and none outlives its absolute lifetime"
  )
  func sessionLifetimes() async throws {
    let harness = try await GrantHarness.fresh()
    let settings = harness.tenant.settings
    let idle = Double(settings.sessionIdleLifetimeSeconds)
    let (cookie, session) = try await harness.signIn()
    var elapsed = 0.0
    while elapsed + idle * 0.75 < Double(settings.sessionAbsoluteLifetimeSeconds) {
      harness.clock.advance(bySeconds: idle * 0.75)
      elapsed += idle * 0.75
      #expect(try await harness.sessions.current(cookie, in: harness.tenant)?.id == session.id)
    }
    harness.clock.advance(bySeconds: idle * 0.75)
    #expect(try await harness.sessions.current(cookie, in: harness.tenant) == nil)
    let unused = try await harness.signIn().cookie
    harness.clock.advance(bySeconds: idle)
    #expect(try await harness.sessions.current(unused, in: harness.tenant) == nil)
  }

  @Test(
    "The same user signing in again keeps the session under a new cookie; the old cookie is void")
  func renewal() async throws {
    let harness = try await GrantHarness.fresh()
    let (old, session) = try await harness.signIn()
    harness.clock.advance(bySeconds: 60)
    let (new, renewed) = try await harness.signIn(replacing: session)
    #expect(renewed.id == session.id && new != old)
    #expect(renewed.authenticatedAt > session.authenticatedAt)
    #expect(try await harness.sessions.current(old, in: harness.tenant) == nil)
  }
}
