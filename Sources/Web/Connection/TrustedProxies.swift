package import HTTPTypes
package import Platform

/// The header in which our proxies say whom they forward for.
package enum ForwardingHeader: String, CaseIterable, SettingValue {
  case xForwardedFor = "x-forwarded-for"
  case forwarded

  package static var settingPlaceholder: Self { .xForwardedFor }
}

/// Tells who sent a request that came through proxies (RFC 7239 section 8.1; our policy).
///
/// Only what a trusted proxy added is believed: the header is read from its end, where the nearest
/// proxy wrote, for as long as the hop that wrote an entry is trusted. Only one of the two headers
/// counts, since a proxy that writes one hands the other on as the client sent it.
package struct TrustedProxies: Sendable {
  /// More hops than any deployment has.
  private static let hopsMax = 32

  let blocks: [AddressBlock]
  let header: ForwardingHeader

  package init(_ blocks: [AddressBlock], header: ForwardingHeader) {
    self.blocks = blocks
    self.header = header
  }

  package func trusts(_ address: IPAddress) -> Bool {
    blocks.contains { $0.contains(address) }
  }

  /// The first address, from ours outwards, that is not a trusted proxy's; what is malformed ends
  /// the search at the last address that is known.
  package func client(behind peer: IPAddress, _ headers: HTTPFields) -> IPAddress {
    guard trusts(peer) else { return peer }
    var address = peer
    var hops = 0
    let name: HTTPField.Name = header == .forwarded ? .forwarded : .xForwardedFor
    for field in headers[values: name].reversed() {
      var rest = field[...]
      repeat {
        hops += 1
        guard hops <= Self.hopsMax, trusts(address),
          let next = header == .forwarded
            ? ForwardedElement.node(Self.popLast(&rest, respectingQuotes: true))
            : ForwardedElement.address(Self.popLast(&rest, respectingQuotes: false))
        else { return address }
        address = next
      } while !rest.isEmpty
    }
    return address
  }

  /// Cuts the last element off a list.
  ///
  /// Found from the end, so that a quote somebody opened further left can't swallow what our proxy
  /// appended.
  private static func popLast(_ list: inout Substring, respectingQuotes: Bool) -> Substring {
    var isQuoted = false
    var index = list.endIndex
    while index > list.startIndex {
      index = list.index(before: index)
      if respectingQuotes, list[index] == "\"" { isQuoted.toggle() }
      guard list[index] == ",", !isQuoted else { continue }
      let element = list[list.index(after: index)...]
      list = list[..<index]
      // `a,` has an empty element, not none.
      if list.isEmpty { list = " " }
      return element
    }
    defer { list = "" }
    return list
  }
}

/// One hop as a proxy writes it.
enum ForwardedElement {
  /// The address in `for=` of a `Forwarded` element (RFC 7239 section 4).
  static func node(_ element: Substring) -> IPAddress? {
    var found: Substring?
    for pair in element.split(separator: ";", omittingEmptySubsequences: false) {
      let parts = trimmed(pair).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { return nil }
      guard parts[0].lowercased() == "for" else { continue }
      // Section 4: each parameter once.
      guard found == nil else { return nil }
      found = parts[1]
    }
    guard var value = found else { return nil }
    if value.hasPrefix("\"") {
      guard value.utf8.count >= 2, value.hasSuffix("\"") else { return nil }
      value = value.dropFirst().dropLast()
    }
    return address(value)
  }

  /// An address, alone or with a port: `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1`.
  static func address(_ text: Substring) -> IPAddress? {
    let text = trimmed(text)
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      let rest = text[text.index(after: close)...]
      guard rest.isEmpty || isPort(rest) else { return nil }
      let inner = text[text.index(after: text.startIndex)..<close]
      return inner.contains(":") ? IPAddress(inner) : nil
    }
    if let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon {
      return isPort(text[colon...]) ? IPAddress(text[..<colon]) : nil
    }
    return IPAddress(text)
  }

  private static func isPort(_ text: Substring) -> Bool {
    let digits = text.dropFirst()
    return text.first == ":" && (1...5).contains(digits.utf8.count)
      && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }
}
