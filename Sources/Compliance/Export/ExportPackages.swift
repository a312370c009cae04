import Cryptography
import Database
package import FoundationEssentials
package import Platform
package import Tenancy

/// Hands finished exports out: by signed links that expire, each package a limited number of times.
package struct ExportPackages: Sendable {
  let database: Database
  let store: ArchiveStore
  let audit: AuditRecorder
  let clock: WallClock

  /// Our policy: a link lives a day at most; the privacy page and the API make new ones.
  static let linkLifetimeSeconds = 24.0 * 3600

  /// A fresh link to a package; nil when it has expired or been fetched.
  package func link(to package: ExportPackage, in tenant: Tenant) -> PackageLink? {
    let now = clock.now()
    guard package.downloadsLeft > 0, package.expiresAt > now else { return nil }
    let expiresAt = Date(
      unixSeconds: min(package.expiresAt, now.addingTimeInterval(Self.linkLifetimeSeconds))
        .unixSeconds)
    let signature = Self.signature(package.id, expires: expiresAt.unixSeconds, tenant: tenant)
    return PackageLink(
      url: "\(tenant.issuer)/privacy/packages/\(package.id)"
        + "?expires=\(expiresAt.unixSeconds)&signature=\(Base64URL.encode(signature))",
      expiresAt: expiresAt)
  }

  /// What a link leads to, without using it up: for HEAD.
  package func peek(_ ticket: PackageTicket, in tenant: Tenant) async throws -> PackageFile {
    try check(ticket, in: tenant)
    let held = try await database.first(FindPackage(id: ticket.package), in: tenant.schema)
    guard let held, held.package.downloadsLeft > 0, held.package.expiresAt > clock.now() else {
      throw PackageError.gone
    }
    return file(held.package, in: tenant)
  }

  /// Uses the link up and says where the file is; of two requests at the same time one gets it.
  package func redeem(
    _ ticket: PackageTicket, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> PackageFile {
    try check(ticket, in: tenant)
    let consume = ConsumeDownload(id: ticket.package, now: clock.now())
    let file = try await database.transaction(in: tenant.schema) { tx -> PackageFile? in
      guard let held = try await tx.first(consume) else { return nil }
      try await audit.record(
        AuditEvent(
          .privacyPackageDownloaded, origin: origin,
          subject: AuditSubject(id: held.user, key: nil),
          detail: ["package": .string(held.package.id.description)]),
        in: tx, tenant: tenant)
      return self.file(held.package, in: tenant)
    }
    guard let file else { throw PackageError.gone }
    return file
  }

  private func check(_ ticket: PackageTicket, in tenant: Tenant) throws(PackageError) {
    let expected = Self.signature(ticket.package, expires: ticket.expires, tenant: tenant)
    guard constantTimeEquals(expected, ticket.signature) else { throw .badSignature }
    guard Date(unixSeconds: ticket.expires) > clock.now() else { throw .gone }
  }

  private func file(_ package: ExportPackage, in tenant: Tenant) -> PackageFile {
    PackageFile(
      path: store.path(package.id, in: tenant.id), sizeBytes: package.sizeBytes,
      sha256: package.sha256, name: "\(tenant.slug)-export-\(package.id).zip")
  }

  private static func signature(
    _ package: ID<ExportPackage>, expires: Int, tenant: Tenant
  ) -> [UInt8] {
    tenant.key.macKey(.signedURL).sha256("package\u{0}\(package)\u{0}\(expires)")
  }
}

/// A signed address of a package.
package struct PackageLink: Hashable, Sendable {
  package let url: String
  package let expiresAt: Date
}

/// What a request for a package brings along: path segment, `expires` and `signature`.
package struct PackageTicket: Hashable, Sendable {
  let package: ID<ExportPackage>
  let expires: Int
  let signature: [UInt8]

  /// Nil when a part cannot be read at all.
  package init?(package: String, expires: String, signature: String) {
    guard let id = ID<ExportPackage>(package), let seconds = Int(expires), seconds >= 0,
      seconds < 1 << 40, let bytes = Base64URL.decode(signature)
    else { return nil }
    self.package = id
    self.expires = seconds
    self.signature = bytes
  }
}

/// A finished export on disk.
package struct PackageFile: Hashable, Sendable {
  package let path: FilePath
  package let sizeBytes: Int
  package let sha256: [UInt8]
  /// What a browser may call it.
  package let name: String
}

package enum PackageError: Error, Hashable, Sendable {
  case badSignature
  /// Expired, fetched already, or never there.
  case gone
}
