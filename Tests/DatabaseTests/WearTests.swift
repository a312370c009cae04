import FoundationEssentials
import Testing

@testable import Database

@Suite("When a connection is replaced for what it has served")
struct WearTests {
  private static let second: UInt64 = 1_000_000_000
  private static let opened: UInt64 = 7 * second

  private func wear(serving count: Int, chance: UInt64 = 0) -> Wear {
    var wear = Wear(tenantsMax: 4, openedAt: Self.opened, chance: chance)
    for _ in 0..<count { wear.serve(TenantSchema(id: UUID())) }
    return wear
  }

  private func isSpent(_ wear: Wear, after seconds: UInt64) -> Bool {
    wear.isSpent(now: Self.opened + seconds * Self.second)
  }

  @Test("few tenants wear nothing, however old it is and however often they come")
  func few() {
    var few = wear(serving: 3)
    let regular = TenantSchema(id: UUID())
    for _ in 0..<100 { few.serve(regular) }
    #expect(!isSpent(few, after: 86_400))
  }

  @Test(
    "with more it lives for five minutes, and as much longer as chance has it",
    arguments: [0, 120, 299])
  func life(chance: UInt64) {
    let worn = wear(serving: 5, chance: chance * Self.second)
    #expect(!isSpent(worn, after: 300 + chance))
    #expect(isSpent(worn, after: 301 + chance))
  }

  @Test("never more than ten minutes")
  func longest() {
    #expect(isSpent(wear(serving: 5, chance: .max), after: 601))
  }

  @Test("eight times too many are too much at any age")
  func excess() {
    #expect(!isSpent(wear(serving: 32), after: 0))
    #expect(isSpent(wear(serving: 33), after: 0))
  }

  @Test("a beginning counts as eight, at any age")
  func beginnings() {
    var wear = Wear(tenantsMax: 16, openedAt: Self.opened, chance: 0)
    wear.begin()
    wear.begin()
    #expect(!isSpent(wear, after: 0))
    wear.begin()
    #expect(isSpent(wear, after: 0))
  }
}
