package import Database
import JOSE
import Platform

/// The signing keys of all tenants in use, loaded when first needed (design section 4).
package struct SigningKeyRing: Sendable {
  private let database: Database
  private let cache: SharedCache<TenantID, SigningKeys>
  private let clock: WallClock

  init(database: Database, feed: ChangeFeed, capacity: Int, clock: WallClock) {
    self.database = database
    cache = SharedCache(capacity: capacity, feed: feed, clock: clock)
    self.clock = clock
  }

  /// The tenant's keys, usually from memory.
  package func keys(of tenant: Tenant) async throws -> SigningKeys {
    let keys = try await cache.value(for: tenant.id) {
      try SigningKeys(
        try await database.all(LoadSigningKeys(), in: tenant.schema), tenantKey: tenant.key)
    }
    guard let keys else { throw KeyError.missing("signing keys") }
    return keys
  }

  /// Inserts the keys of a new tenant, in the transaction that provisions it.
  package func install(_ keys: [GeneratedSigningKey], in tx: Transaction, tenant: Tenant)
    async throws
  {
    for key in keys { _ = try await insert(key, in: tx, tenant: tenant) }
    try await announce(in: tx, tenant: tenant)
  }

  /// False when the algorithm has a key in that state already.
  func insert(_ key: GeneratedSigningKey, in tx: Transaction, tenant: Tenant) async throws -> Bool {
    let now = clock.now()
    let insert = InsertSigningKey(
      id: key.id, kid: key.kid, algorithm: key.algorithm.rawValue, state: key.state,
      publicJWK: key.publicJWK, privateKey: key.sealedPrivateKey, now: now,
      activatedAt: key.state == .current ? now : nil)
    return try await tx.run(insert, in: tenant.schema) == 1
  }

  /// Tells every process that the keys changed, when the transaction commits.
  func announce(in tx: Transaction, tenant: Tenant) async throws {
    try await TenancyChange.keys(tenant.id).announce(in: tx)
    let (cache, id) = (cache, tenant.id)
    tx.onCommit { cache.invalidate(id) }
  }

  var caches: [(name: String, counts: @Sendable () -> CacheCounts)] {
    [("signing_keys", { [cache] in cache.counts })]
  }

  func forget(_ tenant: TenantID) {
    cache.invalidate(tenant)
  }

  func forgetAll() {
    cache.invalidateAll()
  }
}
