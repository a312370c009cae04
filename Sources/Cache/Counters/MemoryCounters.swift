import FoundationEssentials
package import Platform

/// Counters of this process alone.
///
/// Bounded: under a flood of keys the least recently counted are forgotten, so a limit by memory alone is a brake, not a wall.
package struct MemoryCounters: Counters {
  private struct Window {
    var count: Int
    let endsAt: Date
  }

  private let windows: BoundedCache<String, Window>
  private let clock: WallClock

  package init(capacity: Int, clock: WallClock) {
    windows = BoundedCache(capacity: capacity, lifetimeSeconds: .infinity)
    self.clock = clock
  }

  package func increment(_ key: String, windowSeconds: Int) -> Int {
    let now = clock.now()
    return windows.update(key, now: now) { window in
      if let open = window, now < open.endsAt {
        window = Window(count: open.count + 1, endsAt: open.endsAt)
      } else {
        window = Window(count: 1, endsAt: now.addingTimeInterval(Double(windowSeconds)))
      }
      return window?.count ?? 1
    }
  }

  package func value(_ key: String) -> Int {
    let now = clock.now()
    guard let window = windows.value(for: key, now: now), now < window.endsAt else { return 0 }
    return window.count
  }

  package func reset(_ key: String) {
    windows.remove(key)
  }
}
