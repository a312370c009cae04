/// The parts of a URI our rules ask for (RFC 3986 section 3); strict about characters, so that no two
/// readers of the same text disagree.
package struct URIParts: Sendable, Hashable {
  package let scheme: String
  /// Without brackets and lower case; nil if there is no authority or it is empty.
  package let host: String?
  package let port: Int?
  package let hasUserInfo: Bool
  package let path: String
  package let query: String?
  package let fragment: String?

  /// Nil for relative references and for text with characters a URI can't have.
  package init?(_ text: String) {
    guard text.utf8.allSatisfy(\.isURIByte), Self.hasSoundEscapes(text) else { return nil }
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let scheme = text[..<colon]
    guard let first = scheme.utf8.first, first.isAlphabetic,
      scheme.utf8.allSatisfy({ $0.isAlphanumeric || "+-.".utf8.contains($0) })
    else { return nil }
    self.scheme = scheme.lowercased()

    var rest = text[text.index(after: colon)...]
    fragment = Self.cut(&rest, at: "#")
    query = Self.cut(&rest, at: "?")
    guard rest.hasPrefix("//") else {
      (host, port, hasUserInfo) = (nil, nil, false)
      path = String(rest)
      return
    }
    rest = rest.dropFirst(2)
    let end = rest.firstIndex(of: "/") ?? rest.endIndex
    path = String(rest[end...])
    guard let authority = Authority(rest[..<end]) else { return nil }
    (host, port, hasUserInfo) = (authority.host, authority.port, authority.hasUserInfo)
  }

  /// Whether the host is an address, or a name such as DNS has (RFC 1123 section 2.1): readers disagree about others.
  package var hasPlainHost: Bool {
    guard let host else { return false }
    if host.contains(":") { return true }
    return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      !label.isEmpty && label.utf8.allSatisfy { $0.isAlphanumeric || "-_".utf8.contains($0) }
    }
  }

  /// RFC 8252 section 7.3: the loopback interface by its literals, and `localhost`.
  package var isLoopback: Bool { host == "127.0.0.1" || host == "::1" || host == "localhost" }

  /// Whether scheme, host and port are the same (RFC 6454 section 5).
  package func hasOrigin(of other: URIParts) -> Bool {
    scheme == other.scheme && host == other.host && effectivePort == other.effectivePort
  }

  private var effectivePort: Int? {
    port ?? (scheme == "https" ? 443 : scheme == "http" ? 80 : nil)
  }

  private static func cut(_ rest: inout Substring, at mark: Character) -> String? {
    guard let index = rest.firstIndex(of: mark) else { return nil }
    defer { rest = rest[..<index] }
    return String(rest[rest.index(after: index)...])
  }

  private static func hasSoundEscapes(_ text: String) -> Bool {
    var bytes = text.utf8.makeIterator()
    while let byte = bytes.next() {
      guard byte == UInt8(ascii: "%") else { continue }
      guard let high = bytes.next(), let low = bytes.next(), high.isHexDigit, low.isHexDigit
      else { return false }
    }
    return true
  }
}

private struct Authority {
  let host: String?
  let port: Int?
  let hasUserInfo: Bool

  init?(_ text: Substring) {
    var rest = text
    if let at = rest.lastIndex(of: "@") {
      hasUserInfo = true
      rest = rest[rest.index(after: at)...]
    } else {
      hasUserInfo = false
    }
    var host: Substring
    if rest.hasPrefix("[") {
      guard let close = rest.firstIndex(of: "]") else { return nil }
      host = rest[rest.index(after: rest.startIndex)..<close]
      guard
        host.utf8.allSatisfy({ $0.isHexDigit || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
        )
      else { return nil }
      rest = rest[rest.index(after: close)...]
    } else {
      let end = rest.firstIndex(of: ":") ?? rest.endIndex
      host = rest[..<end]
      guard !host.contains("["), !host.contains("]") else { return nil }
      rest = rest[end...]
    }
    if rest.isEmpty {
      port = nil
    } else {
      let digits = rest.dropFirst()
      guard rest.first == ":", !digits.isEmpty, digits.utf8.allSatisfy(\.isDigit),
        let number = Int(digits), (1...65_535).contains(number)
      else { return nil }
      port = number
    }
    self.host = host.isEmpty ? nil : host.lowercased()
  }
}

extension UInt8 {
  package var isDigit: Bool { (0x30...0x39).contains(self) }
  package var isAlphabetic: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
  package var isAlphanumeric: Bool { isDigit || isAlphabetic }
  package var isHexDigit: Bool {
    isDigit || (0x41...0x46).contains(self) || (0x61...0x66).contains(self)
  }
  /// Unreserved, reserved and `%` of RFC 3986 section 2.
  fileprivate var isURIByte: Bool {
    isAlphanumeric || "-._~:/?#[]@!$&'()*+,;=%".utf8.contains(self)
  }
}
