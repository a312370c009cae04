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

  /// Inserts generated keys: when a tenant is provisioned, and when keys are rotated.
  package func install(_ keys: [GeneratedSigningKey], in tx: Transaction, tenant: Tenant)
    async throws
  {
    let now = clock.now()
    for key in keys {
      try await tx.run(
        InsertSigningKey(
          id: key.id, kid: key.kid, algorithm: key.algorithm.rawValue, state: key.state,
          publicJWK: key.publicJWK, privateKey: key.sealedPrivateKey, now: now,
          activatedAt: key.state == .current ? now : nil),
        in: tenant.schema)
    }
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
