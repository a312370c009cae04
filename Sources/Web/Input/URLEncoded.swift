import Platform

/// The pairs of an `application/x-www-form-urlencoded` text (WHATWG URL section 5.1), strictly.
///
/// Flat keys, `+` is a space in keys and values, broken escapes and invalid UTF-8 are refused.
struct URLEncoded: Sendable {
  static let pairsMax = 200

  let values: [String: [String]]

  init(_ bytes: some Sequence<UInt8>) throws(OAuthError) {
    var values: [String: [String]] = [:]
    var count = 0
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: "&")) ?? rest.endIndex
      let pair = rest[..<end]
      rest = rest[end...].dropFirst()
      if pair.isEmpty { continue }
      count += 1
      guard count <= Self.pairsMax else { throw .invalidRequest("There are too many parameters.") }
      let equals = pair.firstIndex(of: UInt8(ascii: "="))
      let name = try Self.decode(pair[..<(equals ?? pair.endIndex)])
      let value = try equals.map { index throws(OAuthError) in
        try Self.decode(pair[(index + 1)...])
      }
      guard !name.isEmpty else { throw .invalidRequest("A parameter has no name.") }
      values[name, default: []].append(value ?? "")
    }
    self.values = values
  }

  private static func decode(_ text: ArraySlice<UInt8>) throws(OAuthError) -> String {
    // A token needs no decoding, and is long.
    guard text.contains(where: isSpecial) else { return try string(text.span) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var index = text.startIndex
    while index < text.endIndex {
      switch text[index] {
      case UInt8(ascii: "+"):
        bytes.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard text.endIndex - index > 2, let high = hexDigit(text[index + 1]),
          let low = hexDigit(text[index + 2]), high | low != 0
        else { throw .invalidRequest("A parameter has a broken percent escape.") }
        bytes.append(high << 4 | low)
        index += 2
      case 0:
        throw .invalidRequest("A parameter contains a NUL character.")
      case let byte:
        bytes.append(byte)
      }
      index += 1
    }
    return try string(bytes.span)
  }

  @inline(__always)
  private static func isSpecial(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "%") || byte == UInt8(ascii: "+") || byte == 0
  }

  private static func string(_ bytes: Span<UInt8>) throws(OAuthError) -> String {
    guard let string = String(utf8: bytes) else {
      throw .invalidRequest("A parameter is not valid UTF-8.")
    }
    return string
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// Parameters by name, under the rules of RFC 6749 section 3.1: no repeats, empty is absent.
package protocol Parameters: Sendable {
  /// Every value sent under a name, in order, empty ones included.
  func all(_ name: String) -> [String]
}

extension Parameters {
  package func optional(_ name: String) throws(OAuthError) -> String? {
    let values = all(name)
    guard values.count <= 1 else { throw .invalidRequest("\(name) was sent more than once.") }
    return values.first.flatMap { $0.isEmpty ? nil : $0 }
  }

  package func required(_ name: String) throws(OAuthError) -> String {
    guard let value = try optional(name) else { throw .invalidRequest("\(name) is required.") }
    return value
  }

  /// As ``optional(_:)``, for values longer than `max` bytes refused.
  package func optional(_ name: String, max: Int) throws(OAuthError) -> String? {
    guard let value = try optional(name) else { return nil }
    guard value.utf8.count <= max else { throw .invalidRequest("\(name) is too long.") }
    return value
  }

  /// A whole number in a range.
  package func integer(_ name: String, in range: ClosedRange<Int>) throws(OAuthError) -> Int? {
    guard let text = try optional(name) else { return nil }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
      range.contains(number)
    else {
      throw .invalidRequest(
        "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// `true` or `false`; absent is `false`.
  ///
  /// Empty is neither: a script whose variable is unset must not get the opposite of what it wanted.
  package func flag(_ name: String) throws(OAuthError) -> Bool {
    switch all(name) {
    case [], ["false"]: false
    case ["true"]: true
    default: throw .invalidRequest("\(name) must be true or false.")
    }
  }
}
