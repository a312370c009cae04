import Cache
import Database
import FoundationEssentials
import Platform
import Tenancy
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

  @Test("Ten guesses one after the other, each wait sat out; then a lock until the window ends")
  func lock() async {
    let start = 1_800_000_000
    let time = ManualClock(Date(unixSeconds: start))
    let throttle = LoginThrottle(
      settings: settings, counters: MemoryCounters(capacity: 100, clock: time.clock))
    let tenant = Self.tenant()
    func decision(_ name: String = "ada") async -> (LoginThrottle.Attempt, ThrottleDecision) {
      await throttle.begin(identifier: name, address: "198.51.100.7", in: tenant)
    }

    var waits: [Int] = []
    var answers = 0
    guessing: for _ in 0..<100 {
      let (attempt, decided) = await decision()
      switch decided {
      case .proceed:
        let (tries, counted) = await throttle.count(attempt)
        #expect(counted == .proceed)
        await throttle.failed(attempt, tries: tries)
        answers += 1
      case .wait(let seconds):
        waits.append(seconds)
        time.advance(bySeconds: Double(seconds))
      case .locked(let seconds):
        #expect(seconds == 900)
        break guessing
      }
    }
    #expect(answers == 10)
    #expect(waits == [1, 2, 4, 8, 16])
    #expect(await decision("grace").1 == .proceed)

    time.set(Date(unixSeconds: start + 899))
    #expect(await decision().1 == .locked(seconds: 900))
    time.set(Date(unixSeconds: start + 900))
    #expect(await decision().1 == .proceed)
  }

  @Test("Who signs in starts anew")
  func success() async {
    let throttle = LoginThrottle(
      settings: settings, counters: MemoryCounters(capacity: 100, clock: .system))
    let tenant = Self.tenant()
    for _ in 0..<20 {
      let (attempt, decided) = await throttle.begin(
        identifier: "ada", address: "198.51.100.7", in: tenant)
      #expect(decided == .proceed)
      _ = await throttle.count(attempt)
      await throttle.succeeded(attempt)
    }
  }

  private static func tenant() -> Tenant {
    let key = TenantKey.generate(for: .generate(.system, .system))
    return Tenant(
      id: key.tenant, slug: "acme", name: "Acme", status: .active,
      schema: TenantSchema(id: key.tenant.uuid), epoch: 1, issuer: "https://id.example/t/acme",
      settings: TenantSettings(), key: key)
  }
}
