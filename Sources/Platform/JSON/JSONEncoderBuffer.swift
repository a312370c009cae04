/// Writes JSON values as UTF-8 (RFC 8259), escaping only what section 7 demands.
struct JSONEncoderBuffer {
  private(set) var bytes: [UInt8] = []

  init() {
    bytes.reserveCapacity(256)
  }

  mutating func write(_ value: JSON) {
    switch value {
    case .null: append("null")
    case .bool(let value): append(value ? "true" : "false")
    case .integer(let value): write(value)
    // RFC 8259 section 6 has no infinity and no NaN.
    case .number(let value): value.isFinite ? write(value) : append("null")
    case .string(let value): write(value)
    case .array(let elements): write(elements)
    case .object(let members): write(members)
    }
  }

  private mutating func write(_ elements: [JSON]) {
    bytes.append(UInt8(ascii: "["))
    for (position, element) in elements.enumerated() {
      if position > 0 { bytes.append(UInt8(ascii: ",")) }
      write(element)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  private mutating func write(_ members: JSONObject) {
    bytes.append(UInt8(ascii: "{"))
    var isFirst = true
    for (name, value) in members {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      write(name)
      bytes.append(UInt8(ascii: ":"))
      write(value)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private mutating func write(_ value: Int64) {
    bytes.append(contentsOf: String(value).utf8)
  }

  /// A number that stays a number with a fraction when it is read again: Swift writes 1 as `1.0`.
  private mutating func write(_ value: Double) {
    bytes.append(contentsOf: value.description.utf8)
  }

  mutating func write(_ string: String) {
    bytes.append(UInt8(ascii: "\""))
    var string = string
    string.withUTF8 { characters in
      var clean = 0
      var position = 0
      while position < characters.count {
        if Self.isClean(UnsafeRawBufferPointer(characters), from: position) {
          position += MemoryLayout<UInt64>.size
          continue
        }
        if Self.mustEscape(characters[position]) {
          bytes.append(contentsOf: UnsafeBufferPointer(rebasing: characters[clean..<position]))
          escape(characters[position])
          clean = position + 1
        }
        position += 1
      }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: characters[clean...]))
    }
    bytes.append(UInt8(ascii: "\""))
  }

  @inline(__always)
  private static func mustEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  /// Whether there are eight bytes more and none of them must be escaped: tokens are long.
  @inline(__always)
  private static func isClean(_ text: UnsafeRawBufferPointer, from position: Int) -> Bool {
    guard position + MemoryLayout<UInt64>.size <= text.count else { return false }
    let eight = text.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    // The highest bit of each byte says whether the byte is what is looked for.
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quotes = eight ^ (ones * UInt64(UInt8(ascii: "\"")))
    let backslashes = eight ^ (ones * UInt64(UInt8(ascii: "\\")))
    let found =
      (eight &- ones * 0x20) & ~eight | (quotes &- ones) & ~quotes
      | (backslashes &- ones) & ~backslashes
    return found & (ones * 0x80) == 0
  }

  private mutating func escape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append("\\\"")
    case UInt8(ascii: "\\"): append("\\\\")
    case 0x0a: append("\\n")
    case 0x0d: append("\\r")
    case 0x09: append("\\t")
    default:
      append("\\u00")
      bytes.append(Hex.digit(byte >> 4))
      bytes.append(Hex.digit(byte & 0x0f))
    }
  }

  private mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// Text that is JSON already.
  mutating func raw(_ json: String) {
    bytes.append(contentsOf: json.utf8)
  }
}
