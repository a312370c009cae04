/// A strict recursive-descent parser of RFC 8259.
///
/// Stricter than the grammar where peers would disagree about the meaning: duplicate member names (RFC 7515 section 4
/// asks for this), lone surrogates (RFC 8259 section 8.2), U+0000 (our policy: Postgres cannot keep it in a text).
struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0
  private var depthLeft: Int

  /// A number longer than this has no use (our policy); it bounds the cost of conversion.
  private static var numberBytesMax: Int { 128 }

  static func parse(_ bytes: [UInt8], limits: JSONLimits) throws(JSONError) -> JSON {
    guard bytes.count <= limits.bytes else {
      throw JSONError(reason: .tooLong, offset: limits.bytes)
    }
    var parser = JSONParser(bytes: bytes, depthLeft: limits.depth)
    parser.skipWhiteSpace()
    let value = try parser.value()
    parser.skipWhiteSpace()
    guard parser.position == bytes.count else { throw parser.error(.trailingData) }
    return value
  }

  private init(bytes: [UInt8], depthLeft: Int) {
    self.bytes = bytes
    self.depthLeft = depthLeft
  }

  private func error(_ reason: JSONError.Reason) -> JSONError {
    JSONError(reason: reason, offset: position)
  }

  /// RFC 8259 section 2: space, tab, line feed and carriage return, nothing else; a byte order mark is refused.
  private mutating func skipWhiteSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      default: return
      }
    }
  }

  private func peek() throws(JSONError) -> UInt8 {
    guard position < bytes.count else { throw error(.unexpectedEnd) }
    return bytes[position]
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(JSONError) {
    guard try peek() == UInt8(ascii: character) else { throw error(.unexpectedByte) }
    position += 1
  }

  private mutating func value() throws(JSONError) -> JSON {
    switch try peek() {
    case UInt8(ascii: "{"): return .object(try object())
    case UInt8(ascii: "["): return .array(try array())
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw error(.unexpectedByte)
    }
  }

  private mutating func literal(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    let end = position + text.utf8CodeUnitCount
    guard end <= bytes.count,
      text.withUTF8Buffer({ $0.elementsEqual(bytes[position..<end]) })
    else { throw error(.invalidLiteral) }
    position = end
    return value
  }

  /// RFC 8259 section 5.
  private mutating func array() throws(JSONError) -> [JSON] {
    try descend()
    var elements: [JSON] = []
    if try peek() == UInt8(ascii: "]") {
      position += 1
      depthLeft += 1
      return elements
    }
    while true {
      skipWhiteSpace()
      elements.append(try value())
      guard try another(before: "]") else { return elements }
    }
  }

  /// RFC 8259 section 4.
  private mutating func object() throws(JSONError) -> JSONObject {
    try descend()
    var members = JSONObject()
    if try peek() == UInt8(ascii: "}") {
      position += 1
      depthLeft += 1
      return members
    }
    while true {
      skipWhiteSpace()
      guard try peek() == UInt8(ascii: "\"") else { throw error(.unexpectedByte) }
      let start = position
      let name = try string()
      // Refused before its value is read, so that the value's cost is not paid twice.
      guard !members.contains(name) else {
        throw JSONError(reason: .duplicateMember, offset: start)
      }
      skipWhiteSpace()
      try expect(":")
      skipWhiteSpace()
      members.appendNew(name, try value())
      guard try another(before: "}") else { return members }
    }
  }

  private mutating func descend() throws(JSONError) {
    guard depthLeft > 0 else { throw error(.tooDeep) }
    depthLeft -= 1
    position += 1
    skipWhiteSpace()
  }

  /// Whether a comma follows; otherwise the closing character has been read.
  private mutating func another(before close: Unicode.Scalar) throws(JSONError) -> Bool {
    skipWhiteSpace()
    switch try peek() {
    case UInt8(ascii: ","):
      position += 1
      return true
    case UInt8(ascii: close):
      position += 1
      depthLeft += 1
      return false
    default:
      throw error(.unexpectedByte)
    }
  }

  /// RFC 8259 section 6.
  private mutating func number() throws(JSONError) -> JSON {
    let start = position
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let firstDigit = position
    try digits()
    if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 {
      position = firstDigit
      throw error(.invalidNumber)
    }
    var isWhole = true
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      try digits()
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isWhole = false
      position += 1
      if position < bytes.count,
        bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
      {
        position += 1
      }
      try digits()
    }
    guard position - start <= Self.numberBytesMax else { throw error(.invalidNumber) }
    if isWhole, let integer = integer(start..<position) { return .integer(integer) }
    guard let double = Double(ascii(start..<position)), double.isFinite else {
      throw error(.invalidNumber)
    }
    return .number(double)
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
    guard position > start else { throw error(.invalidNumber) }
  }

  private func integer(_ range: Range<Int>) -> Int64? {
    var value: Int64 = 0
    let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
    for position in (isNegative ? range.lowerBound + 1 : range.lowerBound)..<range.upperBound {
      let digit = Int64(bytes[position] &- UInt8(ascii: "0"))
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (next, carry) =
        isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
      guard !overflow, !carry else { return nil }
      value = next
    }
    return value
  }

  /// RFC 8259 section 7.
  ///
  /// The common string has no escape and becomes a `String` in one step.
  private mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    var combined: UInt8 = 0
    while position < bytes.count {
      let byte = bytes[position]
      combined |= byte
      switch byte {
      case UInt8(ascii: "\""):
        let text =
          combined < 0x80 ? ascii(start..<position) : try validated(bytes[start..<position])
        position += 1
        return text
      case UInt8(ascii: "\\"):
        return try escapedString(from: start)
      case 0..<0x20:
        throw error(.controlCharacter)
      default:
        position += 1
      }
    }
    throw error(.unexpectedEnd)
  }

  /// Bytes below 0x80 are characters as they are.
  private func ascii(_ range: Range<Int>) -> String {
    bytes.withUnsafeBufferPointer { bytes in
      String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }
  }

  private mutating func escapedString(from start: Int) throws(JSONError) -> String {
    var text = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        let text = try validated(text[...])
        position += 1
        return text
      case UInt8(ascii: "\\"):
        position += 1
        try escape(into: &text)
      case 0..<0x20:
        throw error(.controlCharacter)
      default:
        text.append(byte)
        position += 1
      }
    }
    throw error(.unexpectedEnd)
  }

  /// Overlong forms and encoded surrogates are not UTF-8 (RFC 3629 section 3).
  private func validated(_ text: ArraySlice<UInt8>) throws(JSONError) -> String {
    guard let string = String(utf8: text.span) else { throw error(.invalidUTF8) }
    return string
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    let letter = try peek()
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(try escapedScalar()).utf8)
    default:
      position -= 1
      throw error(.invalidEscape)
    }
  }

  /// `\uXXXX`, or a pair of them for a scalar beyond the basic plane.
  private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
    let first = try codeUnit()
    guard first != 0 else { throw error(.nullCharacter) }
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xdc00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { throw error(.loneSurrogate) }
    position += 2
    let second = try codeUnit()
    guard (0xdc00...0xdfff).contains(second) else { throw error(.loneSurrogate) }
    let value = 0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00)
    guard let scalar = Unicode.Scalar(value) else { throw error(.loneSurrogate) }
    return scalar
  }

  private mutating func codeUnit() throws(JSONError) -> UInt16 {
    guard position + 4 <= bytes.count else { throw error(.invalidEscape) }
    var unit: UInt16 = 0
    for byte in bytes[position..<position + 4] {
      // Either case: setting bit 5 makes letters lower and leaves digits as they are.
      guard byte >= UInt8(ascii: "0"), let value = Hex.value(byte | 0x20) else {
        throw error(.invalidEscape)
      }
      unit = unit << 4 | UInt16(value)
    }
    position += 4
    return unit
  }
}
