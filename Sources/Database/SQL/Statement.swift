/// One SQL statement: its parameters are the stored properties, its text is static and complete.
package protocol Statement: Sendable {
  associatedtype Row: Sendable = Void
  static var sql: SQL<Self> { get }
  /// Reads one row; every column of the select list must be read, in order.
  static func decode(_ row: inout RowReader) throws -> Row
}

extension Statement where Row == Void {
  package static func decode(_ row: inout RowReader) throws { row.skipAll() }
}
