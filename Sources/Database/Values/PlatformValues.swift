package import FoundationEssentials
package import Platform

private let microsecondsPerSecond = 1_000_000.0
/// Postgres counts from 2000-01-01, Foundation's reference date is 2001-01-01.
private let postgresEpochOffsetSeconds = 366.0 * 86_400

extension Date: SQLCodable {
  package static var sqlType: SQLType { .timestamptz }

  package func bind(to writer: inout ParameterWriter) {
    let seconds = timeIntervalSinceReferenceDate + postgresEpochOffsetSeconds
    let microseconds = (seconds * microsecondsPerSecond).rounded()
    // Postgres' own limits are inside; what lies outside becomes 'infinity'.
    guard microseconds < 9.2e18 else { return writer.write(Int64.max) }
    guard microseconds > -2.1e17 else { return writer.write(Int64.min) }
    writer.write(Int64(microseconds))
  }

  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> Date {
    guard type == .timestamptz, bytes.byteCount == 8 else {
      throw DatabaseError.decoding("type \(type.rawValue) in a column read as a time")
    }
    let raw = Int64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int64.self))
    switch raw {
    case .max: return .distantFuture
    case .min: return .distantPast
    default:
      return Date(
        timeIntervalSinceReferenceDate: Double(raw) / microsecondsPerSecond
          - postgresEpochOffsetSeconds)
    }
  }
}

extension UUID: SQLCodable {
  package static var sqlType: SQLType { .uuid }

  package func bind(to writer: inout ParameterWriter) {
    let value = uuid
    unsafe withUnsafeBytes(of: value) { unsafe writer.write(raw: $0) }
  }

  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> UUID {
    guard type == .uuid, bytes.byteCount == 16 else {
      throw DatabaseError.decoding("type \(type.rawValue) in a column read as a UUID")
    }
    return UUID(uuid: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: uuid_t.self))
  }
}

extension ID: SQLCodable {
  package static var sqlType: SQLType { .uuid }
  package func bind(to writer: inout ParameterWriter) { uuid.bind(to: &writer) }
  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> ID {
    ID(try UUID.decode(bytes, as: type))
  }
}

extension JSON: SQLCodable {
  package static var sqlType: SQLType { .jsonb }

  package func bind(to writer: inout ParameterWriter) {
    writer.write(byte: 1)  // the version of jsonb's binary format
    writer.write(contentsOf: encoded())
  }

  package static func decode(_ bytes: RawSpan, as type: SQLType) throws -> JSON {
    var text = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    switch type {
    case .jsonb where text.first == 1: text.removeFirst()
    case .json: break
    default: throw DatabaseError.decoding("type \(type.rawValue) in a column read as JSON")
    }
    do {
      return try JSON.parse(text, limits: JSONLimits(depth: 64, bytes: 64 * 1024 * 1024))
    } catch {
      throw DatabaseError.decoding("JSON that our parser refuses: \(error)")
    }
  }
}
