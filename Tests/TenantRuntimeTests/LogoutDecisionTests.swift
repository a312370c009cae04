import FoundationEssentials
import Platform
import Tenancy
import Testing

@testable import TenantRuntime

@Suite("RP-Initiated Logout sections 2 to 4: when to ask")
struct LogoutDecisionTests {
  let session = ID<Session>(UUID())
  let user = UserID(UUID())

  func hint(_ user: UserID, _ session: ID<Session>?) throws -> IDTokenHint {
    IDTokenHint(user: user, clientID: try #require(ClientID("web")), session: session)
  }

  @Test func decisions() throws {
    func decide(_ hint: IDTokenHint?, isConfirmed: Bool = false) -> LogoutDecision {
      LogoutSituation(session: (session, user), hint: hint, isConfirmed: isConfirmed).decision
    }
    #expect(decide(nil) == .confirm)
    #expect(decide(nil, isConfirmed: true) == .end)
    #expect(decide(try hint(user, session)) == .end)
    #expect(decide(try hint(user, nil)) == .end)
    #expect(decide(try hint(user, ID(UUID()))) == .confirm)
    #expect(decide(try hint(UserID(UUID()), nil)) == .confirm)
  }

  @Test func nobodySignedIn() {
    #expect(LogoutSituation(session: nil, hint: nil, isConfirmed: true).decision == .nothing)
  }
}
