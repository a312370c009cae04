package import FoundationEssentials
import Synchronization

/// A cache of bounded size and age; the least recently used entry makes room (our policy).
///
/// Every operation except the two `removeAll` is O(1). Expired entries are found on look-up, and each new one sweeps two
/// of them away: what is not asked for any more does not stay in memory for long.
package final class BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let state: Mutex<State>
  private let lifetimeSeconds: Double

  package init(capacity: Int, lifetimeSeconds: Double) {
    precondition(capacity > 0)
    state = Mutex(State(capacity: capacity))
    self.lifetimeSeconds = lifetimeSeconds
  }

  package var count: Int { state.withLock { $0.count } }
  /// Entries that made room for others so far.
  package var evicted: Int { state.withLock { $0.evicted } }

  package func value(for key: Key, now: Date) -> Value? {
    state.withLock { $0.value(for: key, now: now) }
  }

  package func store(_ value: Value, for key: Key, now: Date) {
    let expiry = now.addingTimeInterval(lifetimeSeconds)
    state.withLock { $0.store(value, for: key, now: now, expiresAt: expiry) }
  }

  /// Reads and changes one value in a single step; storing it renews its age, nil removes it.
  package func update<Result: Sendable>(
    _ key: Key, now: Date, _ body: @Sendable (inout Value?) -> Result
  ) -> Result {
    let expiry = now.addingTimeInterval(lifetimeSeconds)
    return state.withLock { state in
      var value = state.value(for: key, now: now)
      let result = body(&value)
      if let value {
        state.store(value, for: key, now: now, expiresAt: expiry)
      } else {
        state.remove(key)
      }
      return result
    }
  }

  package func remove(_ key: Key) {
    state.withLock { $0.remove(key) }
  }

  package func removeAll() {
    state.withLock { $0.removeAll() }
  }

  package func removeAll(where isStale: @Sendable (Key, Value) -> Bool) {
    state.withLock { $0.removeAll(where: isStale) }
  }
}

extension BoundedCache {
  /// Entries in an array, chained from most to least recently used by their indices.
  private struct State {
    private struct Entry {
      var key: Key
      var value: Value
      var expiresAt: Date
      var newer: Int
      var older: Int
    }

    private static var none: Int { -1 }
    private static var sweptPerStore: Int { 2 }

    private let capacity: Int
    private(set) var evicted = 0
    private var slots: [Key: Int] = [:]
    private var entries: [Entry?] = []
    private var free: [Int] = []
    private var newest = none
    private var oldest = none

    init(capacity: Int) {
      self.capacity = capacity
    }

    var count: Int { slots.count }

    mutating func value(for key: Key, now: Date) -> Value? {
      guard let slot = slots[key], let entry = entries[slot] else { return nil }
      guard now < entry.expiresAt else {
        remove(key)
        return nil
      }
      if slot != newest {
        unlink(slot)
        linkAsNewest(slot)
      }
      return entry.value
    }

    mutating func store(_ value: Value, for key: Key, now: Date, expiresAt: Date) {
      remove(key)
      for _ in 0..<Self.sweptPerStore { removeOldest(ifExpiredBy: now) }
      if slots.count >= capacity, let victim = entries[oldest] {
        remove(victim.key)
        evicted += 1
      }
      let entry = Entry(
        key: key, value: value, expiresAt: expiresAt, newer: Self.none, older: Self.none)
      let slot: Int
      if let reused = free.popLast() {
        entries[reused] = entry
        slot = reused
      } else {
        entries.append(entry)
        slot = entries.count - 1
      }
      slots[key] = slot
      linkAsNewest(slot)
    }

    mutating func remove(_ key: Key) {
      guard let slot = slots.removeValue(forKey: key) else { return }
      unlink(slot)
      entries[slot] = nil
      free.append(slot)
    }

    private mutating func removeOldest(ifExpiredBy now: Date) {
      guard oldest != Self.none, let entry = entries[oldest], entry.expiresAt <= now else { return }
      remove(entry.key)
    }

    mutating func removeAll() {
      let evicted = evicted
      self = State(capacity: capacity)
      self.evicted = evicted
    }

    mutating func removeAll(where isStale: (Key, Value) -> Bool) {
      let stale = entries.compactMap { entry in
        entry.flatMap { isStale($0.key, $0.value) ? $0.key : nil }
      }
      for key in stale { remove(key) }
    }

    private mutating func linkAsNewest(_ slot: Int) {
      entries[slot]?.newer = Self.none
      entries[slot]?.older = newest
      if newest == Self.none { oldest = slot } else { entries[newest]?.newer = slot }
      newest = slot
    }

    private mutating func unlink(_ slot: Int) {
      guard let entry = entries[slot] else { return }
      if entry.newer == Self.none {
        newest = entry.older
      } else {
        entries[entry.newer]?.older = entry.older
      }
      if entry.older == Self.none {
        oldest = entry.newer
      } else {
        entries[entry.older]?.newer = entry.newer
      }
    }
  }
}
