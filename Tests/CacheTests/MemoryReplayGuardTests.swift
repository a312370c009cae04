import Cache
import FoundationEssentials
import Platform
import Testing

@Suite("What may be used once, in this process's memory")
struct MemoryReplayGuardTests {
  let clock = ManualClock(Date(unixSeconds: 1_800_000_000))

  @Test func once() {
    let seen = MemoryReplayGuard(capacity: 100, clock: clock.clock)
    #expect(seen.isFirstUse("a", seconds: 60))
    #expect(!seen.isFirstUse("a", seconds: 60))
    #expect(seen.isFirstUse("b", seconds: 60))
    clock.advance(bySeconds: 59)
    #expect(!seen.isFirstUse("a", seconds: 60))
    clock.advance(bySeconds: 1)
    #expect(seen.isFirstUse("a", seconds: 60))
  }

  @Test("Of a hundred at the same time one is first")
  func race() async {
    let seen = MemoryReplayGuard(capacity: 100, clock: clock.clock)
    let firsts = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<100 { group.addTask { seen.isFirstUse("a", seconds: 60) } }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(firsts == 1)
  }
}
