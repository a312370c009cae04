import Cache
import FoundationEssentials
import Platform
import Testing

@Suite("Counters in memory")
struct MemoryCountersTests {
  let time = ManualClock(Date(unixSeconds: 1_000_000))

  @Test("a window begins with its first event and ends on its own")
  func windows() {
    let counters = MemoryCounters(capacity: 1000, clock: time.clock)
    #expect(counters.value("a") == 0)
    #expect(counters.increment("a", windowSeconds: 60) == 1)
    time.advance(bySeconds: 59)
    #expect(counters.increment("a", windowSeconds: 60) == 2)
    #expect(counters.increment("b", windowSeconds: 60) == 1)
    #expect(counters.value("a") == 2)
    time.advance(bySeconds: 1)
    #expect(counters.value("a") == 0)
    #expect(counters.value("b") == 1)
    #expect(counters.increment("a", windowSeconds: 60) == 1)
    counters.reset("a")
    counters.reset("never seen")
    #expect(counters.value("a") == 0)
  }

  @Test("memory is bounded: the least recently counted gives way")
  func bounded() {
    let counters = MemoryCounters(capacity: 100, clock: time.clock)
    for number in 0..<99 { _ = counters.increment("\(number)", windowSeconds: 60) }
    for number in 0..<1000 {
      _ = counters.increment("hot", windowSeconds: 60)
      _ = counters.increment("flood \(number)", windowSeconds: 60)
    }
    #expect(counters.value("hot") == 1000)
    #expect(counters.value("0") == 0)
  }

  @Test("no event is lost between tasks")
  func concurrent() async {
    let counters = MemoryCounters(capacity: 100, clock: time.clock)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<500 { _ = counters.increment("a", windowSeconds: 60) }
        }
      }
    }
    #expect(counters.value("a") == 4000)
  }
}
