import CPostgres
package import Platform

/// One blocking connection, for the little that happens before the tests and after them.
package final class BlockingConnection {
  private let handle: OpaquePointer?

  package init(_ url: Secret<String>) throws {
    handle = PQconnectdb(url.reveal())
    guard PQstatus(handle) == CONNECTION_OK else {
      let message = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
      throw MissingTestService(description: "The test server refuses the connection: \(message)")
    }
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
  }

  deinit { PQfinish(handle) }

  package func execute(_ sql: String) throws { _ = try column(sql) }

  /// The first column of every row, as text.
  package func column(_ sql: String) throws -> [String] {
    let result = PQexec(handle, sql)
    defer { PQclear(result) }
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
      return (0..<PQntuples(result)).map { String(cString: PQgetvalue(result, $0, 0)) }
    default:
      throw MissingTestService(
        description: PQresultErrorMessage(result).map { String(cString: $0) } ?? "no message")
    }
  }
}
