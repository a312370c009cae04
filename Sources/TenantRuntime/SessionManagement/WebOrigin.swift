/// The origin of a web address in the form of RFC 6454 section 6.2: scheme, host, and port unless it is
/// the scheme's own.
struct WebOrigin: Sendable, Hashable {
  let text: String

  /// Nil for addresses without a web origin, such as private-use schemes, and for hosts that a
  /// Content-Security-Policy has no word for.
  init?(_ address: String) {
    guard let mark = address.firstRange(of: "://") else { return nil }
    let scheme = address[..<mark.lowerBound].lowercased()
    guard let defaultPort = ["https": "443", "http": "80"][scheme] else { return nil }
    let authority = address[mark.upperBound...].prefix { !"/?#".contains($0) }
    let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
    guard let host = parts.first?.lowercased(), !host.isEmpty, parts.count <= 2,
      host.utf8.allSatisfy({ Self.isHostByte($0) })
    else { return nil }
    let port = parts.count == 2 ? String(parts[1]) : ""
    guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    text = "\(scheme)://\(host)" + (port.isEmpty || port == defaultPort ? "" : ":\(port)")
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x2E
  }
}
