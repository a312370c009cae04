import FoundationEssentials
import Platform
import Synchronization

/// Whether changes made elsewhere reach this process: true while the LISTEN connection is up.
///
/// Without it cached values are trusted for a second only.
final class ChangeFeed: Sendable {
  private let listening = Atomic<Bool>(false)

  var isListening: Bool {
    get { listening.load(ordering: .acquiring) }
    set { listening.store(newValue, ordering: .releasing) }
  }
}

/// A bounded cache of rows whose changes are announced by NOTIFY.
///
/// Nothing stale stays: a value whose row changed while it was being loaded is not kept, and a value
/// loaded while nobody listened lives for a second.
final class SharedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Entry: Sendable {
    let value: Value
    /// When an entry that no announcement would reach has to be loaded again.
    let trustedUntil: Date?
  }

  private let entries: BoundedCache<Key, Entry>
  private let generation = Atomic<Int>(0)
  private let feed: ChangeFeed
  private let clock: WallClock

  static var lifetimeSeconds: Double { 300 }
  static var untrustedLifetimeSeconds: Double { 1 }

  init(capacity: Int, feed: ChangeFeed, clock: WallClock) {
    entries = BoundedCache(capacity: capacity, lifetimeSeconds: Self.lifetimeSeconds)
    self.feed = feed
    self.clock = clock
  }

  /// The cached value, or what `load` finds; what is not found is not remembered.
  func value(for key: Key, load: () async throws -> Value?) async throws -> Value? {
    if let value = cached(key) { return value }
    return try await reload(key, load: load)
  }

  /// What is in memory and can be trusted.
  func cached(_ key: Key) -> Value? {
    let now = clock.now()
    guard let entry = entries.value(for: key, now: now) else { return nil }
    return entry.trustedUntil.map { now < $0 } ?? true ? entry.value : nil
  }

  /// Loads the value whatever is in memory, and remembers it.
  func reload(_ key: Key, load: () async throws -> Value?) async throws -> Value? {
    let before = generation.load(ordering: .acquiring)
    let isTrusted = feed.isListening
    guard let value = try await load() else { return nil }
    store(value, for: key, loadedAt: before, isTrusted: isTrusted)
    return value
  }

  func invalidate(_ key: Key) {
    generation.add(1, ordering: .acquiringAndReleasing)
    entries.remove(key)
  }

  func invalidateAll(where isStale: @Sendable (Key, Value) -> Bool) {
    generation.add(1, ordering: .acquiringAndReleasing)
    entries.removeAll { key, entry in isStale(key, entry.value) }
  }

  func invalidateAll() {
    generation.add(1, ordering: .acquiringAndReleasing)
    entries.removeAll()
  }

  private func store(_ value: Value, for key: Key, loadedAt before: Int, isTrusted: Bool) {
    guard generation.load(ordering: .acquiring) == before else { return }
    let now = clock.now()
    entries.store(
      Entry(
        value: value,
        trustedUntil: isTrusted ? nil : now.addingTimeInterval(Self.untrustedLifetimeSeconds)),
      for: key, now: now)
    // An invalidation between the check and the store has found nothing to remove.
    if generation.load(ordering: .acquiring) != before { entries.remove(key) }
  }
}
