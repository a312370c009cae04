import Platform
import Tenancy

/// The name of an organization in its addresses, `{base}/t/{slug}` (our policy).
///
/// It becomes a path segment now and a host label later, so the rules are those of a host label
/// (RFC 1123 section 2.1) without the reserved `--` of RFC 5891 section 4.2.3.1.
package struct Slug: Sendable, Hashable, CustomStringConvertible {
  package let value: String

  package var description: String { value }

  static let lengthMin = 3
  static let lengthMax = 40

  /// Words that stand for the product itself in addresses, mails and the console.
  static let reserved: Set<String> = [
    Tenant.systemSlug, "account", "admin", "administrator", "api", "assets", "auth", "console",
    "control", "docs", "healthz", "help", "internal", "localhost", "login", "logout", "mail",
    "metrics", "oauth2", "oidc", "openapi", "operator", "platform", "postgres", "privacy",
    "public", "readyz", "root", "security", "status", "support", "tenure", "well-known", "www",
  ]

  /// The slug of the built-in tenant; only the bootstrap gives it out.
  static let system = Slug(unchecked: Tenant.systemSlug)

  /// A slug an administrator asks for; refused with a sentence for the client.
  package init(_ raw: String) throws(SlugRefusal) {
    let bytes = raw.utf8
    guard bytes.allSatisfy(Self.isAllowed) else {
      throw SlugRefusal("may contain only a-z, 0-9 and '-'.")
    }
    guard (Self.lengthMin...Self.lengthMax).contains(bytes.count) else {
      throw SlugRefusal("must have \(Self.lengthMin) to \(Self.lengthMax) characters.")
    }
    guard !raw.hasPrefix("-"), !raw.hasSuffix("-"), !raw.contains("--") else {
      throw SlugRefusal("must not begin or end with '-' or contain '--'.")
    }
    guard !Self.reserved.contains(raw) else { throw SlugRefusal("is a reserved name.") }
    // Paths of the administration interface take both; an id must not be mistaken for a slug.
    guard TenantID(raw) == nil else { throw SlugRefusal("must not look like an id.") }
    value = raw
  }

  private init(unchecked value: String) {
    self.value = value
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
  }
}

/// Why a slug was refused, in the words of a field error.
package struct SlugRefusal: Error, Equatable {
  package let message: String

  init(_ message: String) {
    self.message = message
  }
}
