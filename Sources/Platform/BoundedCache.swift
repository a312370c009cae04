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
  /// Keys and values by slot; what is asked of every look-up is kept apart from them, where it costs least.
  private struct State {
    private static var sweptPerStore: Int { 2 }

    private let capacity: Int
    private(set) var evicted = 0
    private var slots: [Key: Int] = [:]
    private var keys: [Key?] = []
    private var values: [Value?] = []
    private var order = SlotOrder()
    private var free: [Int] = []

    init(capacity: Int) {
      self.capacity = capacity
    }

    var count: Int { slots.count }

    mutating func value(for key: Key, now: Date) -> Value? {
      guard let slot = slots[key] else { return nil }
      guard now < order.expiry(of: slot) else {
        remove(key)
        return nil
      }
      order.use(slot)
      return values[slot]
    }

    mutating func store(_ value: Value, for key: Key, now: Date, expiresAt: Date) {
      remove(key)
      for _ in 0..<Self.sweptPerStore { removeOldest { $0 <= now } }
      if slots.count >= capacity, removeOldest({ _ in true }) { evicted += 1 }
      let slot = free.popLast() ?? keys.count
      if slot == keys.count {
        keys.append(key)
        values.append(value)
      } else {
        keys[slot] = key
        values[slot] = value
      }
      slots[key] = slot
      order.insert(slot, expiresAt: expiresAt)
    }

    mutating func remove(_ key: Key) {
      guard let slot = slots.removeValue(forKey: key) else { return }
      order.remove(slot)
      keys[slot] = nil
      values[slot] = nil
      free.append(slot)
    }

    @discardableResult
    private mutating func removeOldest(_ isDue: (Date) -> Bool) -> Bool {
      guard let slot = order.oldest, isDue(order.expiry(of: slot)), let key = keys[slot] else {
        return false
      }
      remove(key)
      return true
    }

    mutating func removeAll() {
      let evicted = evicted
      self = State(capacity: capacity)
      self.evicted = evicted
    }

    mutating func removeAll(where isStale: (Key, Value) -> Bool) {
      let stale = slots.compactMap { key, slot in
        values[slot].flatMap { isStale(key, $0) ? key : nil }
      }
      for key in stale { remove(key) }
    }
  }
}

/// Slots of a cache, chained from most to least recently used, with the time when each expires.
private struct SlotOrder {
  private struct Link {
    var expiresAt: Date
    var newer = SlotOrder.none
    var older = SlotOrder.none
  }

  private static let none = -1

  private var links: [Link] = []
  private var newestSlot = none
  private var oldestSlot = none

  var oldest: Int? { oldestSlot == Self.none ? nil : oldestSlot }

  func expiry(of slot: Int) -> Date { links[slot].expiresAt }

  /// Slots are numbered from 0 without a gap.
  mutating func insert(_ slot: Int, expiresAt: Date) {
    let link = Link(expiresAt: expiresAt)
    if slot == links.count { links.append(link) } else { links[slot] = link }
    linkAsNewest(slot)
  }

  mutating func use(_ slot: Int) {
    guard slot != newestSlot else { return }
    remove(slot)
    linkAsNewest(slot)
  }

  mutating func remove(_ slot: Int) {
    let link = links[slot]
    if link.newer == Self.none {
      newestSlot = link.older
    } else {
      links[link.newer].older = link.older
    }
    if link.older == Self.none {
      oldestSlot = link.newer
    } else {
      links[link.older].newer = link.newer
    }
  }

  private mutating func linkAsNewest(_ slot: Int) {
    links[slot].newer = Self.none
    links[slot].older = newestSlot
    if newestSlot == Self.none { oldestSlot = slot } else { links[newestSlot].newer = slot }
    newestSlot = slot
  }
}
