import FoundationEssentials
import Platform
import Tenancy
import Testing

@testable import TenantRuntime

@Suite("RP-Initiated Logout sections 2 to 4: when to ask")
struct LogoutDecisionTests {
  let session = ID<Session>(UUID())

  func hint(ofUser: Bool, _ session: ID<Session>?) -> LogoutSituation.Hint {
    LogoutSituation.Hint(session: session, namesUser: ofUser)
  }

  @Test func decisions() {
    func decide(_ hint: LogoutSituation.Hint?, isConfirmed: Bool = false) -> LogoutDecision {
      LogoutSituation(session: session, hint: hint, isConfirmed: isConfirmed).decision
    }
    #expect(decide(nil) == .confirm)
    #expect(decide(nil, isConfirmed: true) == .end)
    #expect(decide(hint(ofUser: true, session)) == .end)
    #expect(decide(hint(ofUser: true, nil)) == .end)
    #expect(decide(hint(ofUser: true, ID(UUID()))) == .confirm)
    #expect(decide(hint(ofUser: false, nil)) == .confirm)
  }

  @Test func nobodySignedIn() {
    #expect(LogoutSituation(session: nil, hint: nil, isConfirmed: true).decision == .nothing)
  }
}
