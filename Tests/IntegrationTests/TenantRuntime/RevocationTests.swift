import Database
import FoundationEssentials
import Platform
import Synchronization
@testable import Tenancy
@testable import TenantRuntime
import Testing

@Suite("Sessions and grants end together, and applications are told")
struct RevocationTests {
  /// Remembers who was to be told.
  final class Told: Sendable {
    private let clients = Mutex<[SessionClient]>([])
    var sessions: [ID<Session>] { clients.withLock { $0.map(\.session) } }

    var notifier: LogoutNotifier {
      LogoutNotifier { clients, _, _ in self.clients.withLock { $0 += clients } }
    }
  }

  private static let backChannel: JSONObject = [
    "backchannel_logout_uri": "https://app.example/logout"
  ]

  private func harness(_ told: Told = Told()) async throws -> GrantHarness {
    try await GrantHarness.fresh(Self.backChannel, logouts: told.notifier)
  }

  private func revocations(_ harness: GrantHarness) -> Revocations {
    harness.base.tenancy.revocations
  }

  @Test("Revoking a session ends its grants, offline_access or not, and its codes")
  func session() async throws {
    let told = Told()
    let harness = try await harness(told)
    let (_, session) = try await harness.signIn()
    let (_, other) = try await harness.signIn()
    let online = try await harness.redeem(harness.code(session, scope: "openid")).refreshToken
    let offline = try await harness.redeem(harness.code(session)).refreshToken
    let elsewhere = try await harness.redeem(harness.code(other)).refreshToken
    let unused = try await harness.code(session)
    let revoked = try await revocations(harness).revoke(
      session.id, of: harness.user.id, in: harness.tenant, origin: TenancyHarness.origin)
    #expect(revoked.sessions == 1 && revoked.grants == 2)
    #expect(told.sessions == [session.id])
    for token in [online, offline] {
      try await harness.expectInvalidGrant("token family revoked") {
        try await harness.refresh(token)
      }
    }
    try await harness.expectInvalidGrant("unknown code") { try await harness.redeem(unused) }
    _ = try await harness.refresh(elsewhere)
    let again = try await revocations(harness).revoke(
      session.id, of: harness.user.id, in: harness.tenant, origin: TenancyHarness.origin)
    #expect(again.isNothing && told.sessions.count == 1)
    let events = try await harness.base.events().filter { $0.action == "session.revoked" }
    #expect(events.count == 1 && events.first?.subject == harness.user.id)
    #expect(events.first?.detail["grants"] == 2)
  }

  @Test("A session of somebody else is not there")
  func stranger() async throws {
    let told = Told()
    let harness = try await harness(told)
    let (cookie, session) = try await harness.signIn()
    let stranger = try await harness.base.user(["username": "mallory"])
    let revoked = try await revocations(harness).revoke(
      session.id, of: stranger.id, in: harness.tenant, origin: TenancyHarness.origin)
    #expect(revoked.isNothing && told.sessions.isEmpty)
    #expect(try await harness.sessions.current(cookie, in: harness.tenant) != nil)
  }

  @Test("Every session but the own one")
  func others() async throws {
    let harness = try await harness()
    let (cookie, own) = try await harness.signIn()
    let (other, _) = try await harness.signIn()
    let revoked = try await revocations(harness).revokeSessions(
      of: harness.user.id, except: own.id, in: harness.tenant, origin: TenancyHarness.origin)
    #expect(revoked.sessions == 1)
    #expect(try await harness.sessions.current(cookie, in: harness.tenant)?.id == own.id)
    #expect(try await harness.sessions.current(other, in: harness.tenant) == nil)
    let listed = try await revocations(harness).sessions(of: harness.user, in: harness.tenant)
    #expect(listed.map(\.session.id) == [own.id])
  }

  @Test(
    "Sessions, grants and codes of a user",
    arguments: ["revoked", "password", "disabled", "erasing"])
  func user(_ way: String) async throws {
    let told = Told()
    let harness = try await harness(told)
    let (cookie, session) = try await harness.signIn()
    let token = try await harness.redeem(harness.code(session)).refreshToken
    let unused = try await harness.code(session)
    let (users, tenant) = (harness.base.tenancy.users, harness.tenant)
    switch way {
    case "revoked":
      _ = try await revocations(harness).revokeEverything(
        of: harness.user.id, in: tenant, origin: TenancyHarness.origin)
    case "password":
      try await users.setPassword(
        Secret("correct horse battery"), of: harness.user.id, in: tenant,
        origin: TenancyHarness.origin)
    case "disabled":
      _ = try await users.setStatus(
        .disabled, of: harness.user.id, expecting: nil, in: tenant, origin: TenancyHarness.origin)
      _ = try await users.setStatus(
        .active, of: harness.user.id, expecting: nil, in: tenant, origin: TenancyHarness.origin)
    default:
      try await harness.base.database.transaction(in: tenant.schema) { tx in
        _ = try await users.markErasing(
          harness.user.id, in: tx, tenant: tenant, origin: TenancyHarness.origin)
      }
    }
    #expect(told.sessions == [session.id])
    #expect(try await harness.sessions.current(cookie, in: tenant) == nil)
    try await harness.expectInvalidGrant("token family revoked") {
      try await harness.refresh(token)
    }
    let refusal = way == "erasing" ? "user or session no longer active" : "unknown code"
    try await harness.expectInvalidGrant(refusal) { try await harness.redeem(unused) }
  }

  @Test("Everything of a client, and nothing of others")
  func client() async throws {
    let harness = try await harness()
    let (cookie, session) = try await harness.signIn()
    let token = try await harness.redeem(harness.code(session)).refreshToken
    let unused = try await harness.code(session)
    let revoked = try await revocations(harness).revokeEverything(
      of: harness.client.id, in: harness.tenant, origin: TenancyHarness.origin)
    #expect(revoked.grants == 1 && revoked.sessions == 0)
    try await harness.expectInvalidGrant("token family revoked") {
      try await harness.refresh(token)
    }
    try await harness.expectInvalidGrant("unknown code") { try await harness.redeem(unused) }
    #expect(try await harness.sessions.current(cookie, in: harness.tenant) != nil)
  }

  @Test("If the applications can't be told, the session does not end")
  func atomic() async throws {
    struct NoQueue: Error {}
    let harness = try await GrantHarness.fresh(
      Self.backChannel, logouts: LogoutNotifier { _, _, _ in throw NoQueue() })
    let (cookie, session) = try await harness.signIn()
    _ = try await harness.redeem(harness.code(session))
    await #expect(throws: NoQueue.self) {
      try await revocations(harness).revoke(
        session.id, of: harness.user.id, in: harness.tenant, origin: TenancyHarness.origin)
    }
    #expect(try await harness.sessions.current(cookie, in: harness.tenant) != nil)
  }
}
