package import Database
package import Platform

package typealias TenantID = ID<Tenant>

/// An organization as both planes see it: where its data lies and how it behaves.
///
/// A snapshot that lives in a cache. A class, since every request hands it from one function to the next: copying so many
/// references costs more than looking it up.
package final class Tenant: Sendable {
  package let id: TenantID
  package let slug: String
  package let name: String
  package let status: TenantStatus
  package let schema: TenantSchema
  /// Grows when the tenant moves; values cached under an older epoch are void.
  package let epoch: Int
  /// `{base}/t/{slug}`: the `iss` of every token.
  package let issuer: String
  /// The issuer without scheme and host: what every path of the tenant begins with.
  package let issuerPath: String
  package let settings: TenantSettings
  package let key: TenantKey

  /// The slug of the built-in tenant whose tokens the admin API accepts.
  package static let systemSlug = "system"

  /// The issuer identifier of a slug (design section 5).
  package static func issuer(base: String, slug: String) -> String {
    base.hasSuffix("/") ? "\(base)t/\(slug)" : "\(base)/t/\(slug)"
  }

  package var isSystem: Bool { slug == Tenant.systemSlug }

  package init(
    id: TenantID, slug: String, name: String, status: TenantStatus, schema: TenantSchema,
    epoch: Int, issuer: String, settings: TenantSettings, key: TenantKey
  ) {
    self.id = id
    self.slug = slug
    self.name = name
    self.status = status
    self.schema = schema
    self.epoch = epoch
    self.issuer = issuer
    issuerPath = Self.path(of: issuer)
    self.settings = settings
    self.key = key
  }

  private static func path(of issuer: String) -> String {
    guard let scheme = issuer.firstRange(of: "://") else { return "" }
    let rest = issuer[scheme.upperBound...]
    return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? ""
  }
}
