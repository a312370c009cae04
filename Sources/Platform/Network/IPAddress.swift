/// An IP address by value: IPv4 in dotted decimal, IPv6 as RFC 4291 section 2.2 writes it, without zone.
///
/// No other spelling is read: octal, hexadecimal and short forms of IPv4 mean different things to different readers.
package enum IPAddress: Sendable, Hashable {
  case v4(UInt32)
  case v6(UInt128)

  package init?(_ text: some StringProtocol) {
    guard text.utf8.count <= 45 else { return nil }
    let text = String(text)
    if text.utf8.contains(UInt8(ascii: ":")) {
      guard let value = Self.parseV6(text) else { return nil }
      self = .v6(value)
    } else {
      guard let value = Self.parseV4(Substring(text)) else { return nil }
      self = .v4(value)
    }
  }

  package var bitWidth: Int {
    switch self {
    case .v4: 32
    case .v6: 128
    }
  }

  private static func parseV4(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: ".", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard part.utf8.allSatisfy(\.isDigit), (1...3).contains(part.utf8.count),
        part.utf8.count == 1 || part.utf8.first != UInt8(ascii: "0"), let octet = UInt8(part)
      else { return nil }
      value = value << 8 | UInt32(octet)
    }
    return value
  }

  private static func parseV6(_ text: String) -> UInt128? {
    let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
    guard halves.count <= 2, let head = groups(halves[0], mayEndInV4: halves.count == 1) else {
      return nil
    }
    guard halves.count == 2 else { return head.count == 8 ? value(head) : nil }
    // Two colons stand for at least one group of zeros.
    guard let tail = groups(halves[1], mayEndInV4: true), head.count + tail.count <= 7 else {
      return nil
    }
    return value(head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail)
  }

  private static func groups(_ text: Substring, mayEndInV4: Bool) -> [UInt16]? {
    guard !text.isEmpty else { return [] }
    var groups: [UInt16] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      if mayEndInV4, index == parts.count - 1, let v4 = parseV4(part) {
        groups += [UInt16(v4 >> 16), UInt16(truncatingIfNeeded: v4)]
        continue
      }
      guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(\.isHexDigit),
        let group = UInt16(part, radix: 16)
      else { return nil }
      groups.append(group)
    }
    return groups
  }

  private static func value(_ groups: [UInt16]) -> UInt128 {
    groups.reduce(0) { $0 << 16 | UInt128($1) }
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted decimal, or eight groups: not the shortest form, but one that every reader understands.
  package var description: String {
    switch self {
    case .v4(let value):
      stride(from: 24, through: 0, by: -8).map { String(value >> UInt32($0) & 0xff) }
        .joined(separator: ".")
    case .v6(let value):
      stride(from: 112, through: 0, by: -16).map {
        String(UInt16(truncatingIfNeeded: value >> UInt128($0)), radix: 16)
      }.joined(separator: ":")
    }
  }
}

/// A network in CIDR notation, `10.0.0.0/8` (RFC 4632 section 3.1), or a single address.
package struct IPNetwork: Sendable, Hashable, ExpressibleByStringLiteral {
  package let address: IPAddress
  package let prefixLength: Int

  /// Nil also where bits after the prefix are set: `10.1.0.0/8` is a slip of somebody who meant something else.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPAddress(parts[0]) else { return nil }
    self.address = address
    guard parts.count == 2 else {
      prefixLength = address.bitWidth
      return
    }
    guard parts[1].utf8.allSatisfy(\.isDigit), let length = Int(parts[1]),
      String(length) == parts[1], length <= address.bitWidth
    else { return nil }
    prefixLength = length
    guard Self.bits(address) & ~mask == 0 else { return nil }
  }

  package init(stringLiteral text: String) {
    guard let network = IPNetwork(text) else { preconditionFailure("not a network: \(text)") }
    self = network
  }

  package func contains(_ other: IPAddress) -> Bool {
    other.bitWidth == address.bitWidth && Self.bits(other) & mask == Self.bits(address)
  }

  /// Ones for the bits of the prefix.
  private var mask: UInt128 {
    let hostBits = UInt128(address.bitWidth - prefixLength)
    // A shift by the whole width yields zero.
    let all: UInt128 = address.bitWidth == 128 ? .max : UInt128(UInt32.max)
    return (all >> hostBits) << hostBits
  }

  private static func bits(_ address: IPAddress) -> UInt128 {
    switch address {
    case .v4(let value): UInt128(value)
    case .v6(let value): value
    }
  }
}

extension IPNetwork: CustomStringConvertible {
  package var description: String { "\(address)/\(prefixLength)" }
}
