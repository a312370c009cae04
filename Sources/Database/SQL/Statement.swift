/// One SQL statement: its parameters are the stored properties, its text is static and complete.
package protocol Statement: Sendable {
  associatedtype Row: Sendable = Void
  static var sql: SQL<Self> { get }
  /// Whether one plan serves all values: every row is found by a key, and no parameter switches off a filter that an index
  /// serves. In a table that is known to be empty every index is as good: a further condition that another one could serve
  /// has `is true` around it, and rows of other tables are found by subqueries that can't become joins.
  ///
  /// Postgres then plans it at the first execution on a connection for a tenant, and again only when a table changes or is
  /// analysed; never to read a whole table, however small it was at the time. Others of tenants are not prepared: Postgres
  /// looks through all that a connection has prepared whenever anybody makes a table.
  static var isPlannedOnce: Bool { get }
  /// Reads one row; every column of the select list must be read, in order.
  static func decode(_ row: inout RowReader) throws -> Row
}

extension Statement {
  package static var isPlannedOnce: Bool { false }
}

extension Statement where Row == Void {
  package static func decode(_ row: inout RowReader) throws { row.skipAll() }
}
