package import Logging
package import Platform
import ServiceLifecycle

/// The one Postgres database of this process, by statements.
///
/// With a schema, a statement runs under that tenant's role; without one, under the platform's.
package final class Database: Service {
  let pool: Pool
  let settings: DatabaseSettings
  let logger: Logger

  package init(url: Secret<String>, settings: DatabaseSettings, logger: Logger) {
    self.settings = settings
    self.logger = logger
    pool = Pool(url: url, settings: settings, logger: logger)
  }

  deinit { pool.close() }

  /// Closes the connections when the process is asked to stop; statements work before and without it.
  package func run() async throws {
    try? await gracefulShutdown()
    pool.close()
    await pool.drained()
  }

  /// Closes every connection now; statements are refused from here on.
  package func close() { pool.close() }

  /// How the connections are used right now.
  package var statistics: PoolStatistics { pool.statistics }

  /// How long the caller who waits longest for a connection has waited.
  package var queueTime: Duration { pool.queueTime }

  // MARK: Statements of a tenant

  package func first<S: Statement>(_ statement: S, in schema: TenantSchema) async throws -> S.Row? {
    try await perform(statement, schema) { try $0.firstRow(S.decode) }
  }

  package func all<S: Statement>(_ statement: S, in schema: TenantSchema) async throws -> [S.Row] {
    try await perform(statement, schema) { try $0.allRows(S.decode) }
  }

  /// Runs the statement and returns how many rows it affected.
  @discardableResult
  package func run<S: Statement>(_ statement: S, in schema: TenantSchema) async throws -> Int {
    try await perform(statement, schema) { $0.affectedRows }
  }

  // MARK: Statements of the platform

  package func first<S: Statement>(_ statement: S) async throws -> S.Row? {
    try await perform(statement, nil) { try $0.firstRow(S.decode) }
  }

  package func all<S: Statement>(_ statement: S) async throws -> [S.Row] {
    try await perform(statement, nil) { try $0.allRows(S.decode) }
  }

  @discardableResult
  package func run<S: Statement>(_ statement: S) async throws -> Int {
    try await perform(statement, nil) { $0.affectedRows }
  }

  // MARK: Composed statements

  package func first<Row: Sendable>(
    _ sql: ComposedSQL, in schema: TenantSchema?, decode: (inout RowReader) throws -> Row
  ) async throws -> Row? {
    try await perform(sql, schema) { try $0.firstRow(decode) }
  }

  package func all<Row: Sendable>(
    _ sql: ComposedSQL, in schema: TenantSchema?, decode: (inout RowReader) throws -> Row
  ) async throws -> [Row] {
    try await perform(sql, schema) { try $0.allRows(decode) }
  }

  @discardableResult
  package func run(_ sql: ComposedSQL, in schema: TenantSchema?) async throws -> Int {
    try await perform(sql, schema) { $0.affectedRows }
  }

  // MARK: Transactions

  /// Runs the body in one transaction under the tenant's role: a return commits, a throw rolls back.
  ///
  /// After a serialization failure or a deadlock the body runs again, so it must touch nothing but the transaction.
  @discardableResult
  package func transaction<R: Sendable>(
    in schema: TenantSchema, isolation: Isolation = .readCommitted,
    _ body: (Transaction) async throws -> R
  ) async throws -> R {
    try await transact(schema, isolation, body)
  }

  /// The same under the platform's role.
  @discardableResult
  package func transaction<R: Sendable>(
    isolation: Isolation = .readCommitted, _ body: (Transaction) async throws -> R
  ) async throws -> R {
    try await transact(nil, isolation, body)
  }

  /// Runs several statements without parameters in one implicit transaction, under the platform's role.
  package func script(_ sql: String) async throws {
    try await leased(for: nil) { connection in
      try await connection.runScript(sql, role: nil)
    }
  }
}

/// How much a transaction sees of others.
package enum Isolation: String, Sendable {
  case readCommitted = "read committed"
  case repeatableRead = "repeatable read"
  case serializable
}

/// A look at the pool, for metrics and tests.
package struct PoolStatistics: Sendable, Equatable {
  package let open: Int
  package let idle: Int
  package let waiting: Int
}
