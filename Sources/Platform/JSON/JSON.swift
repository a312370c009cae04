/// A JSON value (RFC 8259 section 3).
///
/// Integers that fit keep all their digits; other numbers are binary64, as RFC 8259 section 6 expects of peers.
package enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSON])
  case object(JSONObject)

  /// Parses one JSON text; see ``JSONError`` for what is refused.
  package static func parse(_ bytes: [UInt8], limits: JSONLimits) throws(JSONError) -> JSON {
    try JSONParser.parse(bytes, limits: limits)
  }

  /// The value without insignificant white space, members in their order, as UTF-8 (RFC 8259 section 8.1).
  package func encoded() -> [UInt8] {
    var encoder = JSONEncoderBuffer()
    encoder.write(self)
    return encoder.bytes
  }

  /// The same without room to grow: for what stays in memory.
  package func encodedToKeep() -> [UInt8] {
    let encoded = encoded()
    var kept: [UInt8] = []
    kept.reserveCapacity(encoded.count)
    kept += encoded
    return kept
  }

  package var text: String { String(decoding: encoded(), as: UTF8.self) }

  /// The member of an object; nil for a missing member and for values that are not objects.
  package subscript(_ member: String) -> JSON? { objectValue?[member] }

  package var isNull: Bool { self == .null }

  package var stringValue: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// The integer, also of a number written with a fraction or exponent, if it is whole and fits.
  package var integerValue: Int? {
    switch self {
    case .integer(let value): Int(exactly: value)
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  package var doubleValue: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  package var boolValue: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  package var arrayValue: [JSON]? {
    if case .array(let value) = self { value } else { nil }
  }

  package var objectValue: JSONObject? {
    if case .object(let value) = self { value } else { nil }
  }
}

/// Literals. `nil` is not one of them: `isSet ? value : nil` would silently mean null where absence was meant; write `.null`.
extension JSON: ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }
  package init(dictionaryLiteral members: (String, JSON)...) { self = .object(JSONObject(members)) }
}

/// Shorthands that read well in encoders: `["exp": .integer(time)]` takes an `Int`, and absent becomes null.
extension JSON {
  package static func integer(_ value: Int) -> JSON { .integer(Int64(value)) }

  package static func optional(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

  package static func strings(_ values: some Sequence<String>) -> JSON {
    .array(values.map(JSON.string))
  }
}

extension JSON: CustomStringConvertible {
  package var description: String { text }
}

/// How much JSON a caller is willing to read.
package struct JSONLimits: Sendable {
  /// Nesting of arrays and objects (RFC 8259 section 9 allows a limit).
  package var depth: Int
  package var bytes: Int

  package init(depth: Int, bytes: Int) {
    self.depth = depth
    self.bytes = bytes
  }

  /// The limits of a request body: 32 levels, 1 MiB.
  package static let request = JSONLimits(depth: 32, bytes: 1024 * 1024)
}

/// Why a text is not acceptable JSON, and where; it never quotes the text.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Reason: String, Sendable {
    case tooLong = "the text is longer than allowed"
    case tooDeep = "values are nested too deeply"
    case unexpectedEnd = "the text ends too early"
    case unexpectedByte = "a character is not allowed here"
    case trailingData = "there is more after the value"
    case invalidLiteral = "a literal is not true, false or null"
    case invalidNumber = "a number is malformed or out of range"
    case invalidEscape = "an escape is malformed"
    case loneSurrogate = "a surrogate escape has no partner"
    case controlCharacter = "a string contains a control character that must be escaped"
    case nullCharacter = "a string contains U+0000"
    case invalidUTF8 = "a string is not valid UTF-8"
    case duplicateMember = "a member name occurs twice"
  }

  package let reason: Reason
  /// The offset in bytes.
  package let offset: Int

  package init(reason: Reason, offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  package var description: String { "\(reason.rawValue) (at byte \(offset))" }
}
