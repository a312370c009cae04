/// Reads a big-endian number of exactly the width of the column.
@inline(__always)
private func load<Number: FixedWidthInteger & BitwiseCopyable>(
  _ bytes: RawSpan, as type: Number.Type
) throws -> Number {
  guard bytes.byteCount == MemoryLayout<Number>.size else {
    throw DatabaseError.decoding("\(bytes.byteCount) bytes in a column read as \(type)")
  }
  return unsafe Number(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Number.self))
}

private func mismatch(_ type: SQLType, _ target: Any.Type) -> DatabaseError {
  .decoding("type \(type.rawValue) in a column read as \(target)")
}

extension Int: SQLCodable {
  package static var sqlType: SQLType { .int8 }
  package func bind(to writer: inout ParameterWriter) { writer.write(Int64(self)) }
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Int {
    switch type {
    case .int8: Int(try load(bytes, as: Int64.self))
    case .int4: Int(try load(bytes, as: Int32.self))
    case .int2: Int(try load(bytes, as: Int16.self))
    case .oid: Int(try load(bytes, as: UInt32.self))
    default: throw mismatch(type, Self.self)
    }
  }
}

extension Int64: SQLCodable {
  package static var sqlType: SQLType { .int8 }
  package func bind(to writer: inout ParameterWriter) { writer.write(self) }
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Int64 {
    Int64(try Int.decode(bytes, as: type))
  }
}

extension Int32: SQLCodable {
  package static var sqlType: SQLType { .int4 }
  package func bind(to writer: inout ParameterWriter) { writer.write(self) }
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Int32 {
    guard let value = Int32(exactly: try Int.decode(bytes, as: type)) else {
      throw mismatch(type, Self.self)
    }
    return value
  }
}

extension Int16: SQLCodable {
  package static var sqlType: SQLType { .int2 }
  package func bind(to writer: inout ParameterWriter) { writer.write(self) }
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Int16 {
    guard let value = Int16(exactly: try Int.decode(bytes, as: type)) else {
      throw mismatch(type, Self.self)
    }
    return value
  }
}

extension Bool: SQLCodable {
  package static var sqlType: SQLType { .bool }
  package func bind(to writer: inout ParameterWriter) { writer.write(byte: self ? 1 : 0) }
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Bool {
    guard type == .bool else { throw mismatch(type, Self.self) }
    return try load(bytes, as: UInt8.self) != 0
  }
}

extension Double: SQLCodable {
  package static var sqlType: SQLType { .float8 }
  package func bind(to writer: inout ParameterWriter) { writer.write(bitPattern) }
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Double {
    switch type {
    case .float8: Double(bitPattern: try load(bytes, as: UInt64.self))
    case .float4: Double(Float(bitPattern: try load(bytes, as: UInt32.self)))
    default: throw mismatch(type, Self.self)
    }
  }
}

extension String: SQLCodable {
  package static var sqlType: SQLType { .text }
  package func bind(to writer: inout ParameterWriter) { writer.write(utf8: self) }
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> String {
    switch type {
    case .text, .varchar, .name, .bpchar, .unknown, .json:
      // The connection speaks UTF-8 and Postgres has validated it.
      unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    default: throw mismatch(type, Self.self)
    }
  }
}

extension Array: SQLBindable where Element: SQLBindable {
  package static var sqlType: SQLType { Element.sqlArrayType }
  package func bind(to writer: inout ParameterWriter) { Element.bindArray(self, to: &writer) }
}

extension Array: SQLDecodable where Element: SQLDecodable {
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> [Element] {
    try Element.decodeArray(bytes, as: type)
  }
}

extension SQLDecodable {
  package static func decodeArray(_ bytes: RawSpan, as type: SQLType) throws -> [Self] {
    func number(at offset: Int) throws -> Int {
      guard offset + 4 <= bytes.byteCount else { throw DatabaseError.decoding("a short array") }
      return Int(
        Int32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int32.self)))
    }
    let dimensions = try number(at: 0)
    guard dimensions > 0 else { return [] }
    guard dimensions == 1 else { throw DatabaseError.decoding("an array of several dimensions") }
    let type = SQLType(rawValue: UInt32(truncatingIfNeeded: try number(at: 8)))
    let count = try number(at: 12)
    var elements: [Self] = []
    elements.reserveCapacity(count)
    var offset = 20
    for _ in 0..<count {
      let length = try number(at: offset)
      offset += 4
      if length < 0 {
        elements.append(try decodeNull())
        continue
      }
      guard offset + length <= bytes.byteCount else {
        throw DatabaseError.decoding("a short array")
      }
      elements.append(try decode(bytes.extracting(offset..<(offset + length)), as: type))
      offset += length
    }
    return elements
  }
}

/// An element of `bytea` values: `[UInt8]` is bound and read as one value, never as an array of numbers.
extension UInt8: SQLCodable {
  package static var sqlType: SQLType { .int2 }
  package func bind(to writer: inout ParameterWriter) { writer.write(Int16(self)) }
  package static var sqlArrayType: SQLType { .bytea }
  package static func bindArray(_ values: [UInt8], to writer: inout ParameterWriter) {
    writer.write(contentsOf: values)
  }
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> UInt8 {
    guard let value = UInt8(exactly: try Int.decode(bytes, as: type)) else {
      throw mismatch(type, Self.self)
    }
    return value
  }
  package static func decodeArray(_ bytes: RawSpan, as type: SQLType) throws -> [UInt8] {
    guard type == .bytea else { throw mismatch(type, [UInt8].self) }
    return unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
  }
}
