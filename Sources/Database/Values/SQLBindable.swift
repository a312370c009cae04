/// A value that can be bound to a parameter, in Postgres' binary format.
package protocol SQLBindable: Sendable {
  /// The type the parameter is declared with.
  static var sqlType: SQLType { get }
  func bind(to writer: inout ParameterWriter)
  /// The type of a parameter that is an array of such values.
  static var sqlArrayType: SQLType { get }
  /// The element decides, so that bytes are copied at once, without a cast of each.
  static func bindArray(_ values: [Self], to writer: inout ParameterWriter)
}

extension SQLBindable {
  package static var sqlArrayType: SQLType { sqlType.array }
  package static func bindArray(_ values: [Self], to writer: inout ParameterWriter) {
    writer.write(array: values)
  }
}

/// A value that can be read from a column, in Postgres' binary format.
package protocol SQLDecodable {
  static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Self
  /// What a null column reads as; only optionals have an answer.
  static func decodeNull() throws -> Self
  /// A column of many such values; the element decides, as in ``SQLBindable/bindArray(_:to:)``.
  static func decodeArray(_ bytes: RawSpan, as type: SQLType) throws -> [Self]
}

/// A value that goes into the database and comes back.
package typealias SQLCodable = SQLBindable & SQLDecodable

extension SQLDecodable {
  package static func decodeNull() throws -> Self {
    throw DatabaseError.decoding("null in a column read as \(Self.self)")
  }
}

/// A type stored as another one: conform, and say how to convert.
package protocol SQLRepresentable: SQLBindable, SQLDecodable {
  associatedtype SQLValue: SQLCodable
  var sqlValue: SQLValue { get }
  init(sqlValue: SQLValue) throws
}

extension SQLRepresentable {
  package static var sqlType: SQLType { SQLValue.sqlType }
  package func bind(to writer: inout ParameterWriter) { sqlValue.bind(to: &writer) }
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Self {
    try Self(sqlValue: SQLValue.decode(bytes, as: type))
  }
}

/// Enumerations of strings are stored as their raw text.
extension SQLBindable where Self: RawRepresentable, RawValue == String {
  package static var sqlType: SQLType { .text }
  package func bind(to writer: inout ParameterWriter) { rawValue.bind(to: &writer) }
}

extension SQLDecodable where Self: RawRepresentable, RawValue == String {
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Self {
    guard let value = Self(rawValue: try String.decode(bytes, as: type)) else {
      throw DatabaseError.decoding("an unknown \(Self.self)")
    }
    return value
  }
}

extension Optional: SQLBindable where Wrapped: SQLBindable {
  package static var sqlType: SQLType { Wrapped.sqlType }
  package func bind(to writer: inout ParameterWriter) {
    if let self { self.bind(to: &writer) } else { writer.writeNull() }
  }
}

extension Optional: SQLDecodable where Wrapped: SQLDecodable {
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Wrapped? {
    try Wrapped.decode(bytes, as: type)
  }
  package static func decodeNull() throws -> Wrapped? { nil }
}
