import FoundationEssentials
import Platform
import Synchronization
import Testing

@Suite("Bounded cache")
struct BoundedCacheTests {
  static let start = Date(unixSeconds: 1_000_000)

  @Test("the least recently used entry makes room")
  func evicts() {
    let cache = BoundedCache<String, Int>(capacity: 3, lifetimeSeconds: 60)
    for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
      cache.store(value, for: key, now: Self.start)
    }
    #expect(cache.value(for: "a", now: Self.start) == 1)
    cache.store(4, for: "d", now: Self.start)
    #expect(cache.value(for: "b", now: Self.start) == nil)
    #expect(cache.value(for: "a", now: Self.start) == 1)
    #expect(cache.value(for: "c", now: Self.start) == 3)
    #expect(cache.value(for: "d", now: Self.start) == 4)
    #expect(cache.count == 3)
  }

  @Test("entries expire; storing again renews")
  func expires() {
    let cache = BoundedCache<String, Int>(capacity: 3, lifetimeSeconds: 60)
    cache.store(1, for: "a", now: Self.start)
    #expect(cache.value(for: "a", now: Self.start.addingTimeInterval(59.9)) == 1)
    cache.store(2, for: "a", now: Self.start.addingTimeInterval(59.9))
    #expect(cache.value(for: "a", now: Self.start.addingTimeInterval(119)) == 2)
    #expect(cache.value(for: "a", now: Self.start.addingTimeInterval(120)) == nil)
    #expect(cache.count == 0)
  }

  @Test("each new entry sweeps away two that have expired")
  func sweeps() {
    let cache = BoundedCache<Int, Int>(capacity: 100, lifetimeSeconds: 60)
    for number in 0..<10 { cache.store(number, for: number, now: Self.start) }
    cache.store(10, for: 10, now: Self.start.addingTimeInterval(59.9))
    #expect(cache.count == 11)
    for (number, count) in [(11, 10), (12, 9), (13, 8), (14, 7), (15, 6), (16, 7)] {
      cache.store(number, for: number, now: Self.start.addingTimeInterval(60))
      #expect(cache.count == count)
    }
    #expect(cache.value(for: 10, now: Self.start.addingTimeInterval(60)) == 10)
    // None of them made room for another.
    #expect(cache.evicted == 0)
  }

  @Test("removal, one, some and all")
  func removes() {
    let cache = BoundedCache<Int, Int>(capacity: 100, lifetimeSeconds: 60)
    for number in 0..<100 { cache.store(number, for: number, now: Self.start) }
    cache.remove(0)
    cache.remove(0)
    cache.removeAll { key, _ in key.isMultiple(of: 2) }
    #expect(cache.count == 50)
    #expect(cache.value(for: 51, now: Self.start) == 51)
    cache.removeAll()
    #expect(cache.count == 0)
    cache.store(1, for: 1, now: Self.start)
    #expect(cache.value(for: 1, now: Self.start) == 1)
  }

  @Test("agrees with a simple model over random operations", arguments: [1, 2, 7])
  func model(capacity: Int) {
    let cache = BoundedCache<Int, Int>(capacity: capacity, lifetimeSeconds: 1000)
    var model: [(key: Int, value: Int)] = []  // newest last
    var state: UInt64 = 42
    for step in 0..<5000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let key = Int(state >> 40) % 10
      switch Int(state >> 33) % 4 {
      case 0, 1:
        cache.store(step, for: key, now: Self.start)
        model.removeAll { $0.key == key }
        if model.count == capacity { model.removeFirst() }
        model.append((key, step))
      case 2:
        let found = model.first { $0.key == key }
        #expect(cache.value(for: key, now: Self.start) == found?.value)
        if let found {
          model.removeAll { $0.key == key }
          model.append(found)
        }
      default:
        cache.remove(key)
        model.removeAll { $0.key == key }
      }
      #expect(cache.count == model.count)
    }
  }
}

@Suite("Test signals")
struct TestSignalTests {
  @Test("values arrive in order, before and after somebody waits")
  func order() async throws {
    let signal = TestSignal<Int>.armed()
    signal.signal(1)
    signal.signal(2)
    #expect(try await signal.wait() == 1)
    #expect(try await signal.wait() == 2)
    async let third = signal.wait()
    signal.signal(3)
    #expect(try await third == 3)
  }

  @Test("waiting for nothing ends")
  func timeout() async {
    await #expect(throws: TestSignalError.timedOut) {
      try await TestSignal<Void>.armed().wait(timeoutSeconds: 0)
    }
    await #expect(throws: TestSignalError.inert) { try await TestSignal<Void>.inert.wait() }
    TestSignal<Void>.inert.signal()
  }

  @Test("a value that nobody took is kept for the next")
  func keepsAfterTimeout() async throws {
    let signal = TestSignal<Int>.armed()
    await #expect(throws: TestSignalError.timedOut) { try await signal.wait(timeoutSeconds: 0) }
    signal.signal(1)
    #expect(try await signal.wait() == 1)
  }
}
