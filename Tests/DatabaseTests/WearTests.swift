import FoundationEssentials
import Testing

@testable import Database

@Suite("When a connection is replaced for what it has served")
struct WearTests {
  private static let second: UInt64 = 1_000_000_000
  /// When it passed its bound.
  private static let passed: UInt64 = 7 * second

  private func wear(serving count: Int, chance: UInt64 = 0, tenantsMax: Int = 4) -> Wear {
    var wear = Wear(tenantsMax: tenantsMax, chance: chance)
    for _ in 0..<count { wear.serve(TenantSchema(id: UUID()), now: Self.passed) }
    return wear
  }

  private func isSpent(_ wear: Wear, after seconds: UInt64) -> Bool {
    wear.isSpent(now: Self.passed + seconds * Self.second)
  }

  @Test("few tenants wear nothing, however old it is and however often they come")
  func few() {
    var few = wear(serving: 3)
    let regular = TenantSchema(id: UUID())
    for _ in 0..<100 { few.serve(regular, now: Self.passed) }
    #expect(!isSpent(few, after: 86_400))
  }

  @Test(
    "with more it goes on for five minutes, and as much longer as chance has it",
    arguments: [(0, 0), (120, 120), (299, 299), (300, 0), (301, 1)] as [(UInt64, UInt64)])
  func grace(chance: UInt64, longer: UInt64) {
    let worn = wear(serving: 5, chance: chance * Self.second)
    #expect(!isSpent(worn, after: 300 + longer))
    #expect(isSpent(worn, after: 301 + longer))
  }

  @Test("the time runs from when it passes its bound, whoever came before or comes later")
  func later() {
    var worn = wear(serving: 4)
    for seconds: UInt64 in [200, 400] {
      worn.serve(TenantSchema(id: UUID()), now: Self.passed + seconds * Self.second)
    }
    #expect(!isSpent(worn, after: 500))
    #expect(isSpent(worn, after: 501))
  }

  @Test("eight times too many are too much at once")
  func excess() {
    #expect(!isSpent(wear(serving: 32), after: 0))
    #expect(isSpent(wear(serving: 33), after: 0))
  }

  @Test("a beginning counts as eight at once, beside what was served")
  func beginnings() {
    var wear = wear(serving: 16, tenantsMax: 16)
    wear.begin()
    wear.begin()
    #expect(!isSpent(wear, after: 86_400))
    wear.begin()
    #expect(isSpent(wear, after: 0))
  }
}
