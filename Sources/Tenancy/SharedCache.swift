import FoundationEssentials
import Platform
import Synchronization

/// Whether changes made elsewhere reach this process: true while the LISTEN connection is up.
///
/// Without it cached values are trusted for a second only.
final class ChangeFeed: Sendable {
  private let listening = Atomic<Bool>(false)

  /// How many changes this process has heard of.
  private let changes = Atomic<UInt64>(0)

  /// Nil while nobody listens.
  var generation: UInt64? { isListening ? changes.load(ordering: .acquiring) : nil }

  /// Once nothing in memory is older than the change.
  func noteChange() { changes.add(1, ordering: .acquiringAndReleasing) }

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
  private let hits = Counter()
  private let misses = Counter()
  private let invalidations = Counter()

  static var lifetimeSeconds: Double { 300 }
  static var untrustedLifetimeSeconds: Double { 1 }

  init(capacity: Int, feed: ChangeFeed, clock: WallClock) {
    entries = BoundedCache(capacity: capacity, lifetimeSeconds: Self.lifetimeSeconds)
    self.feed = feed
    self.clock = clock
  }

  var counts: CacheCounts {
    CacheCounts(
      hits: hits.value, misses: misses.value, entries: entries.count, evicted: entries.evicted,
      invalidations: invalidations.value)
  }

  /// The cached value, or what `load` finds; what is not found is not remembered.
  func value(for key: Key, load: () async throws -> Value?) async throws -> Value? {
    if let value = cached(key) { return value }
    return try await reload(key, load: load)
  }

  /// What is in memory and can be trusted.
  func cached(_ key: Key) -> Value? {
    let now = clock.now()
    guard let entry = entries.value(for: key, now: now),
      entry.trustedUntil.map({ now < $0 }) ?? true
    else { return nil }
    hits.add()
    return entry.value
  }

  /// Loads the value whatever is in memory, and remembers it.
  func reload(_ key: Key, load: () async throws -> Value?) async throws -> Value? {
    misses.add()
    let before = generation.load(ordering: .acquiring)
    let isTrusted = feed.isListening
    guard let value = try await load() else { return nil }
    store(value, for: key, loadedAt: before, isTrusted: isTrusted)
    return value
  }

  func invalidate(_ key: Key) {
    change { entries.remove(key) }
  }

  func invalidateAll(where isStale: @Sendable (Key, Value) -> Bool) {
    change { entries.removeAll { key, entry in isStale(key, entry.value) } }
  }

  func invalidateAll() {
    change { entries.removeAll() }
  }

  private func change(_ forget: () -> Void) {
    invalidations.add()
    generation.add(1, ordering: .acquiringAndReleasing)
    forget()
    feed.noteChange()
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

/// What a cache has seen so far.
struct CacheCounts: Sendable {
  let hits: Int
  let misses: Int
  let entries: Int
  let evicted: Int
  let invalidations: Int
}

/// Caches by the name their series have.
struct CacheMetrics: Sendable {
  let caches: [(name: String, counts: @Sendable () -> CacheCounts)]

  var families: [MetricFamily] {
    [
      family("hits_total", "Look-ups answered from memory.", .counter) { $0.hits },
      family("misses_total", "Look-ups that went to the database.", .counter) { $0.misses },
      family("entries", "Entries in memory.", .gauge) { $0.entries },
      family("evictions_total", "Entries that made room for others.", .counter) { $0.evicted },
      family("invalidations_total", "Changes that entries were dropped for.", .counter) {
        $0.invalidations
      },
    ]
  }

  private func family(
    _ name: String, _ help: String, _ kind: MetricFamily.Kind,
    _ read: @escaping @Sendable (CacheCounts) -> Int
  ) -> MetricFamily {
    MetricFamily("tenure_cache_\(name)", help, kind, by: ["cache"]) { [caches] in
      caches.map { MetricSample(read($0.counts()), $0.name) }
    }
  }
}
