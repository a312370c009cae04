import Cryptography
import FoundationEssentials
import Platform
import Tenancy

/// A document as bytes, with the tag of its content.
struct PublishedDocument: Sendable {
  let bytes: [UInt8]
  let etag: String
  let maxAgeSeconds: Int

  init(_ bytes: [UInt8], maxAgeSeconds: Int) {
    self.bytes = bytes
    self.maxAgeSeconds = maxAgeSeconds
    etag = "\"\(Base64URL.encode(SHA2.sha256(bytes).prefix(12)))\""
  }
}

/// The public documents of each tenant, encoded once and kept as long as its keys and issuer stay.
struct PublishedDocuments: Sendable {
  /// Long enough to spare requests, short enough for an emergency; rotation publishes 14 days ahead.
  static let keysMaxAgeSeconds = 900
  static let metadataMaxAgeSeconds = 3600
  private static let tenantsMax = 10_000

  struct Documents: Sendable {
    let source: SigningKeys
    let issuer: String
    let settings: TenantSettings
    let keys: PublishedDocument
    let metadata: PublishedDocument
  }

  let keys: SigningKeyRing
  let metadata: Metadata
  let clock: WallClock
  private let cache = BoundedCache<TenantID, Documents>(
    capacity: tenantsMax, lifetimeSeconds: 86_400)

  init(keys: SigningKeyRing, metadata: Metadata, clock: WallClock) {
    self.keys = keys
    self.metadata = metadata
    self.clock = clock
  }

  func documents(of tenant: Tenant) async throws -> Documents {
    let keys = try await keys.keys(of: tenant)
    let now = clock.now()
    if let known = cache.value(for: tenant.id, now: now), known.source === keys,
      known.issuer == tenant.issuer, known.settings == tenant.settings
    {
      return known
    }
    let documents = Documents(
      source: keys, issuer: tenant.issuer, settings: tenant.settings,
      keys: PublishedDocument(keys.publishedBytes, maxAgeSeconds: Self.keysMaxAgeSeconds),
      metadata: PublishedDocument(
        metadata.document(for: tenant, keys: keys).encodedToKeep(),
        maxAgeSeconds: Self.metadataMaxAgeSeconds))
    cache.store(documents, for: tenant.id, now: now)
    return documents
  }
}
