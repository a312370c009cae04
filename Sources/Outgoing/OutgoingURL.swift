import Platform

/// An address somebody else chose, in the one spelling that every reader takes for the same (RFC 3986).
///
/// It is rebuilt from its checked parts, so that what was checked is what is asked.
package struct OutgoingURL: Sendable, Hashable {
  package static let bytesMax = 2048

  package let isSecure: Bool
  /// In lower case; an IPv6 address without brackets.
  package let host: String
  package let port: Int
  /// Not sent; OpenID Connect Core section 6.2 puts a hash of the content here.
  package let fragment: String?
  private let target: String

  package init(_ text: String) throws(OutgoingError) {
    guard text.utf8.count <= Self.bytesMax else { throw .refusedURL("length") }
    guard let parts = URIParts(text) else { throw .refusedURL("syntax") }
    guard parts.scheme == "https" || parts.scheme == "http" else { throw .refusedURL("scheme") }
    guard !parts.hasUserInfo else { throw .refusedURL("user information") }
    guard let host = parts.host, Self.isAddress(host) || Self.isHostName(host) else {
      throw .refusedURL("host")
    }
    isSecure = parts.scheme == "https"
    self.host = host
    port = parts.port ?? (isSecure ? 443 : 80)
    fragment = parts.fragment
    target = (parts.path.isEmpty ? "/" : parts.path) + (parts.query.map { "?" + $0 } ?? "")
  }

  /// The whole address, without fragment.
  package var text: String {
    let authority = host.contains(":") ? "[\(host)]" : host
    let isDefaultPort = port == (isSecure ? 443 : 80)
    return
      "\(isSecure ? "https" : "http")://\(authority)\(isDefaultPort ? "" : ":\(port)")\(target)"
  }

  /// An address in its own form: IPv4 inside IPv6 is only ever meant to get past somebody.
  private static func isAddress(_ text: String) -> Bool {
    IPAddress(text).map { $0.isV4 != text.contains(":") } ?? false
  }

  /// A name of letters, digits, hyphens and underscores in labels (RFC 1123 section 2.1), in lower case.
  ///
  /// A last label that is a number is refused: resolvers take `0x7f.1` and `2130706433` for addresses.
  static func isHostName(_ text: String) -> Bool {
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    guard text.utf8.count <= 253, let last = labels.last else { return false }
    let isNumber = last.utf8.allSatisfy(\.isDigit) || last.hasPrefix("0x")
    return !isNumber
      && labels.allSatisfy { label in
        (1...63).contains(label.utf8.count)
          && label.utf8.allSatisfy { byte in
            byte.isDigit || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "-")
              || byte == UInt8(ascii: "_")
          }
      }
  }
}
