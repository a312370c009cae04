import Platform
import Testing

@testable import TenantRuntime

@Suite("Our policy: sign-in slows down and stops")
struct LoginThrottleTests {
  let settings: LoginSettings = {
    var reader = SettingsReader.documentation
    return LoginSettings(&reader)
  }()

  @Test(arguments: [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (10, 32), (15, 900), (1000, 900)])
  func delays(failures: Int, seconds: Int) {
    #expect(settings.delaySeconds(after: failures, free: 4) == seconds)
  }

  @Test(arguments: [
    (1, false, 0, false, ThrottleDecision.proceed),
    (10, false, 999, false, .proceed),
    (7, true, 0, false, .wait(seconds: 2)),
    (1, false, 53, true, .wait(seconds: 4)),
    (1, true, 0, false, .wait(seconds: 1)),
    (11, false, 0, false, .locked(seconds: 900)),
    (11, true, 53, true, .locked(seconds: 900)),
  ])
  func decides(
    tries: Int, userWaits: Bool, failures: Int, addressWaits: Bool, decision: ThrottleDecision
  ) {
    let counts = ThrottleCounts(
      triesForUser: tries, isUserWaiting: userWaits, failuresFromAddress: failures,
      isAddressWaiting: addressWaits)
    #expect(settings.decision(counts) == decision)
  }
}
