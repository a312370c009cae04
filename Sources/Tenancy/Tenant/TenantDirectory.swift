package import Database
import Platform

/// Finds tenants by slug and by id, usually from memory.
package struct TenantDirectory: Sendable {
  private let database: Database
  private let masterKey: MasterKey
  private let baseURL: BaseURL
  private let bySlug: SharedCache<String, Tenant>
  private let byID: SharedCache<TenantID, Tenant>

  init(
    database: Database, masterKey: MasterKey, baseURL: BaseURL, feed: ChangeFeed, capacity: Int,
    clock: WallClock
  ) {
    self.database = database
    self.masterKey = masterKey
    self.baseURL = baseURL
    bySlug = SharedCache(capacity: capacity, feed: feed, clock: clock)
    byID = SharedCache(capacity: capacity, feed: feed, clock: clock)
  }

  /// A tenant that exists; look at its status before serving it.
  package func find(slug: String) async throws -> Tenant? {
    guard Self.isPlausible(slug) else { return nil }
    return try await bySlug.value(for: slug) {
      try open(await database.first(FindTenantBySlug(slug: slug)))
    }
  }

  package func find(id: TenantID) async throws -> Tenant? {
    try await byID.value(for: id) {
      try open(await database.first(FindTenantByID(id: id)))
    }
  }

  /// Tells every process that the organization changed, when the transaction commits.
  ///
  /// For the one that changes it: in the transaction of the change.
  package func announceChange(of id: TenantID, in tx: Transaction) async throws {
    try await TenancyChange.tenant(id).announce(in: tx)
    let directory = self
    tx.onCommit { directory.forget(id) }
  }

  /// The value a new organization has before anybody can look it up.
  package func issuer(slug: String) -> String { Tenant.issuer(base: baseURL.text, slug: slug) }

  func forget(_ id: TenantID) {
    byID.invalidate(id)
    bySlug.invalidateAll { _, tenant in tenant.id == id }
  }

  var caches: [(name: String, counts: @Sendable () -> CacheCounts)] {
    [
      ("tenants_by_slug", { [bySlug] in bySlug.counts }),
      ("tenants_by_id", { [byID] in byID.counts }),
    ]
  }

  func forgetAll() {
    byID.invalidateAll()
    bySlug.invalidateAll()
  }

  private func open(_ stored: StoredTenant?) throws -> Tenant? {
    try stored?.opened(with: masterKey, issuerBase: baseURL.text)
  }

  /// Spares the database what can't be a slug.
  private static func isPlausible(_ slug: String) -> Bool {
    (1...63).contains(slug.utf8.count)
      && slug.utf8.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: "-") }
  }
}
