import CPostgres

/// Reads the columns of one row, each once, in the order of the select list.
///
/// It points into memory of the connection, so it is lent: it cannot be copied, and it ends with the closure it is passed to.
@safe package struct RowReader: ~Copyable {
  private let result: OpaquePointer
  private let row: Int32
  package let columnCount: Int
  private var column: Int32 = 0

  init(result: OpaquePointer, row: Int32, columnCount: Int32) {
    unsafe self.result = result
    self.row = row
    self.columnCount = Int(columnCount)
  }

  /// The next column's value.
  package mutating func next<Value: SQLDecodable>(_ type: Value.Type = Value.self) throws -> Value {
    guard column < columnCount else {
      throw DatabaseError.decoding("more columns read than selected")
    }
    let index = column
    column += 1
    if unsafe PQgetisnull(result, row, index) == 1 { return try Value.decodeNull() }
    let length = Int(unsafe PQgetlength(result, row, index))
    let bytes = unsafe UnsafeRawBufferPointer(start: PQgetvalue(result, row, index), count: length)
    return try Value.decode(
      unsafe bytes.bytes, as: SQLType(rawValue: unsafe PQftype(result, index)))
  }

  /// The next column's name; the column stays next.
  package var nextName: String? {
    guard column < columnCount, let name = unsafe PQfname(result, column) else { return nil }
    return unsafe String(cString: name)
  }

  package mutating func skipAll() { column = Int32(columnCount) }

  func checkConsumed() throws {
    guard column == columnCount else {
      throw DatabaseError.decoding("\(columnCount - Int(column)) columns were not read")
    }
  }
}
