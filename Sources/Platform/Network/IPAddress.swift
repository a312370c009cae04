/// An IP address by value, so that two spellings of one are equal (RFC 791, RFC 4291).
///
/// An IPv4 address is kept as the IPv6 address it is mapped to (RFC 4291 section 2.5.5.2): a
/// dual-stack socket reports its peers that way, and both forms name one client.
package struct IPAddress: Sendable, Hashable {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// - Parameter v4: The four octets, the first in the highest byte.
  package init(v4: UInt32) {
    self.init(high: 0, low: Self.mappedPrefix | UInt64(v4))
  }

  private static let mappedPrefix: UInt64 = 0xffff_0000_0000

  package var isV4: Bool { high == 0 && low & ~0xffff_ffff == Self.mappedPrefix }
  package var isLoopback: Bool { isV4 ? (low >> 24) & 0xff == 127 : high == 0 && low == 1 }

  /// The network one subscriber has: the address itself, for IPv6 its /64 (RFC 6177 section 2 gives
  /// a site no less).
  package var subscriber: IPAddress { isV4 ? self : IPAddress(high: high, low: 0) }

  /// The first `bits` bits; the rest is zero.
  func prefix(_ bits: Int) -> IPAddress {
    IPAddress(
      high: bits >= 64 ? high : high & Self.mask(bits),
      low: bits >= 128 ? low : low & Self.mask(bits - 64))
  }

  private static func mask(_ bits: Int) -> UInt64 {
    bits <= 0 ? 0 : ~UInt64(0) << UInt64(64 - bits)
  }
}

extension IPAddress: LosslessStringConvertible {
  /// Dotted decimal or the forms of RFC 4291 section 2.2; no zone, no leading zeros, no blanks.
  package init?(_ text: String) {
    self.init(text[...])
  }

  package init?(_ text: Substring) {
    guard text.utf8.count <= 45 else { return nil }
    if let v4 = Self.octets(text) {
      self.init(v4: v4)
    } else {
      self.init(v6: text)
    }
  }

  private init?(v6 text: Substring) {
    let halves = Self.split(text)
    guard var head = Self.groups(halves.head, mayEndInV4: halves.tail == nil) else { return nil }
    if let tail = halves.tail {
      guard let tail = Self.groups(tail, mayEndInV4: true), head.count + tail.count < 8 else {
        return nil
      }
      head += Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }
    guard head.count == 8 else { return nil }
    let number = { (part: ArraySlice<UInt16>) in part.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
    self.init(high: number(head[..<4]), low: number(head[4...]))
  }

  /// The text before and after `::`; no second half where there is none.
  private static func split(_ text: Substring) -> (head: Substring, tail: Substring?) {
    guard let gap = text.firstRange(of: "::") else { return (text, nil) }
    return (text[..<gap.lowerBound], text[gap.upperBound...])
  }

  private static func groups(_ text: Substring, mayEndInV4: Bool) -> [UInt16]? {
    guard !text.isEmpty else { return [] }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 8 else { return nil }
    var groups: [UInt16] = []
    for (index, part) in parts.enumerated() {
      if mayEndInV4, index == parts.count - 1, let v4 = octets(part) {
        groups += [UInt16(v4 >> 16), UInt16(v4 & 0xffff)]
      } else {
        // The initialiser would take a sign.
        guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexDigit),
          let group = UInt16(part, radix: 16)
        else { return nil }
        groups.append(group)
      }
    }
    return groups
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }

  private static func octets(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard let octet = UInt8(part), String(octet) == part else { return nil }
      value = value << 8 | UInt32(octet)
    }
    return value
  }

  /// RFC 5952 section 4.
  package var description: String {
    guard !isV4 else {
      return (0..<4).reversed().map { String((low >> ($0 * 8)) & 0xff) }.joined(separator: ".")
    }
    let groups = (0..<8).map { index in
      UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64((3 - index % 4) * 16))
    }
    let texts = groups.map { String($0, radix: 16) }
    guard let gap = Self.longestZeros(groups) else { return texts.joined(separator: ":") }
    return texts[..<gap.lowerBound].joined(separator: ":") + "::"
      + texts[gap.upperBound...].joined(separator: ":")
  }

  /// The first of the longest runs of at least two zero groups.
  private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
    var longest = 0..<0
    var start = 0
    for index in 0...8 where index == 8 || groups[index] != 0 {
      if index - start > longest.count { longest = start..<index }
      start = index + 1
    }
    return longest.count >= 2 ? longest : nil
  }
}

/// A block of addresses in the notation of RFC 4632 section 3.1: `10.0.0.0/8`, `2001:db8::/32`, or
/// one address.
package struct AddressBlock: SettingValue, Hashable {
  package let network: IPAddress
  /// Of the 128 bits of the mapped form.
  private let bits: Int

  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = IPAddress(first) else { return nil }
    let most = address.isV4 ? 32 : 128
    var bits = most
    if parts.count == 2 {
      guard let given = Int(parts[1]), String(given) == parts[1], (0...most).contains(given) else {
        return nil
      }
      bits = given
    }
    self.bits = bits + 128 - most
    network = address
    // 10.1.2.3/8 is a mistake somebody should hear of.
    guard address.prefix(self.bits) == address else { return nil }
  }

  package func contains(_ address: IPAddress) -> Bool { address.prefix(bits) == network }

  package static var settingType: String { "address block" }
  package static var settingPlaceholder: AddressBlock { AddressBlock(one: IPAddress(v4: 0)) }

  package init(setting text: String) throws(SettingRefusal) {
    guard let block = AddressBlock(text) else {
      throw SettingRefusal("addresses or blocks such as 10.0.0.0/8 or 2001:db8::/32")
    }
    self = block
  }

  private init(one address: IPAddress) {
    network = address
    bits = 128
  }

  package var settingText: String {
    network.isV4 ? "\(network)/\(bits - 96)" : "\(network)/\(bits)"
  }
}
