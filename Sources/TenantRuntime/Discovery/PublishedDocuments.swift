import Cryptography
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

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

  /// 304 if the client has it (RFC 9110 section 13.1.2); any origin may read it, since it is public.
  func response(to request: Request, in context: some RequestContext) -> Response {
    let headers: HTTPFields = [
      .eTag: etag, .cacheControl: "public, max-age=\(maxAgeSeconds)",
      .accessControlAllowOrigin: "*",
    ]
    if isKnown(to: request) {
      return EmptyResponse(.notModified, headers: headers)
        .response(from: request, context: context)
    }
    return BytesResponse(contentType: "application/json", bytes, headers: headers)
      .response(from: request, context: context)
  }

  private func isKnown(to request: Request) -> Bool {
    for header in request.headers[values: .ifNoneMatch] {
      for tag in header.split(separator: ",") {
        let tag = tag.drop { $0 == " " }
        if tag == "*" || tag == etag || tag == "W/" + etag { return true }
      }
    }
    return false
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
      known.issuer == tenant.issuer
    {
      return known
    }
    let documents = Documents(
      source: keys, issuer: tenant.issuer,
      keys: PublishedDocument(keys.publishedBytes, maxAgeSeconds: Self.keysMaxAgeSeconds),
      metadata: PublishedDocument(
        metadata.document(for: tenant, keys: keys).encoded(),
        maxAgeSeconds: Self.metadataMaxAgeSeconds))
    cache.store(documents, for: tenant.id, now: now)
    return documents
  }
}
