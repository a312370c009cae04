package import FoundationEssentials
import Platform

/// The schema of one tenant, which is also the name of the tenant's database role (design section 3).
///
/// The name is `t_` and 26 characters of base32, so it needs no escaping inside double quotes.
package struct TenantSchema: Hashable, Sendable {
  package let name: String

  package init?(_ name: String) {
    let text = name.utf8
    guard text.count == 28, text.starts(with: "t_".utf8) else { return nil }
    let alphabet = text.dropFirst(2).allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "2")...UInt8(ascii: "7")).contains(byte)
    }
    guard alphabet else { return nil }
    self.name = name
  }

  package init(id: UUID) {
    name = "t_" + Base32.encode(unsafe withUnsafeBytes(of: id.uuid) { unsafe [UInt8]($0) })
  }

  /// The name as a quoted identifier.
  package var quoted: String { "\"\(name)\"" }
}

extension TenantSchema: CustomStringConvertible {
  package var description: String { name }
}
