import Platform

/// A transaction, lent to the closure that runs in it.
///
/// It is not Sendable, so the compiler refuses to let it escape. BEGIN travels with the first statement; a
/// transaction without statements never reaches the server.
package final class Transaction {
  private let connection: Connection
  private let schema: TenantSchema?
  private let isolation: Isolation
  private let tenantIsolation: TenantIsolation
  private var effects: [@Sendable () -> Void] = []
  private var hasBegun = false
  /// The first error of a statement: Postgres ignores everything after it.
  private(set) var failure: DatabaseError?

  init(
    _ connection: Connection, schema: TenantSchema?, isolation: Isolation,
    tenantIsolation: TenantIsolation
  ) {
    self.connection = connection
    self.schema = schema
    self.isolation = isolation
    self.tenantIsolation = tenantIsolation
  }

  // MARK: Statements of the transaction's tenant

  package func first<S: Statement>(_ statement: S) async throws -> S.Row? {
    try await perform(statement, schema) { try $0.firstRow(S.decode) }
  }

  package func all<S: Statement>(_ statement: S) async throws -> [S.Row] {
    try await perform(statement, schema) { try $0.allRows(S.decode) }
  }

  @discardableResult
  package func run<S: Statement>(_ statement: S) async throws -> Int {
    try await perform(statement, schema) { $0.affectedRows }
  }

  package func first<Row>(
    _ sql: ComposedSQL, decode: (inout RowReader) throws -> Row
  ) async throws -> Row? {
    try await perform(sql, schema) { try $0.firstRow(decode) }
  }

  package func all<Row>(
    _ sql: ComposedSQL, decode: (inout RowReader) throws -> Row
  ) async throws -> [Row] {
    try await perform(sql, schema) { try $0.allRows(decode) }
  }

  @discardableResult
  package func run(_ sql: ComposedSQL) async throws -> Int {
    try await perform(sql, schema) { $0.affectedRows }
  }

  // MARK: One statement under another role

  /// One statement under the platform's role; the next one is the tenant's again.
  package func platformFirst<S: Statement>(_ statement: S) async throws -> S.Row? {
    try await perform(statement, nil) { try $0.firstRow(S.decode) }
  }

  package func platformAll<S: Statement>(_ statement: S) async throws -> [S.Row] {
    try await perform(statement, nil) { try $0.allRows(S.decode) }
  }

  @discardableResult
  package func platform<S: Statement>(_ statement: S) async throws -> Int {
    try await perform(statement, nil) { $0.affectedRows }
  }

  /// One statement for a tenant, under its role, in a transaction of the platform.
  package func first<S: Statement>(_ statement: S, in schema: TenantSchema) async throws -> S.Row? {
    try await perform(statement, schema) { try $0.firstRow(S.decode) }
  }

  package func all<S: Statement>(_ statement: S, in schema: TenantSchema) async throws -> [S.Row] {
    try await perform(statement, schema) { try $0.allRows(S.decode) }
  }

  @discardableResult
  package func run<S: Statement>(_ statement: S, in schema: TenantSchema) async throws -> Int {
    try await perform(statement, schema) { $0.affectedRows }
  }

  /// Several statements without parameters, under the platform's role.
  package func script(_ sql: String) async throws {
    try checkUsable()
    try await noting {
      if !hasBegun {
        try await connection.execute(utility: beginText, role: nil)
        hasBegun = true
      }
      try await connection.runScript(sql, role: nil)
    }
  }

  /// Lifts the limit of a statement's time until the transaction ends, on the server and here: for jobs, which have a
  /// limit of their own.
  package func liftStatementLimit() async throws {
    try checkUsable()
    try await noting {
      let begin = hasBegun ? nil : beginText
      hasBegun = true
      try await connection.execute(
        utility: "set local statement_timeout = 0", role: role(for: schema), begin: begin)
      connection.isPatient = true
    }
  }

  /// Says that the transaction makes a tenant, or gives it its first rows: nothing of it is prepared on this connection, which hardly
  /// sees it again and is replaced the sooner.
  package func beginTenant() { connection.beginTenant() }

  /// Runs after the commit, and not at all if there is none.
  package func onCommit(_ effect: @escaping @Sendable () -> Void) { effects.append(effect) }

  // MARK: The ends

  func commit() async throws {
    if let failure { throw failure }
    connection.preparesTenantStatements = true
    guard hasBegun else { return }
    try await connection.commit()
    hasBegun = false
    connection.isPatient = false
  }

  /// Ends the transaction without effect; a connection that cannot do that is discarded by the pool.
  func rollBack() async {
    connection.isPatient = false
    connection.preparesTenantStatements = true
    guard hasBegun else { return }
    await connection.rollBack()
    hasBegun = false
  }

  func runEffects() {
    for effect in effects { effect() }
  }

  private var beginText: String {
    isolation == .readCommitted ? "begin" : "begin isolation level \(isolation.rawValue)"
  }

  private func role(for schema: TenantSchema?) -> TenantSchema? {
    tenantIsolation == .role ? schema : nil
  }

  private func checkUsable() throws {
    if let failure { throw failure }
  }

  private func perform<S: Statement, R>(
    _ statement: S, _ schema: TenantSchema?, _ read: (Connection) throws -> R
  ) async throws -> R {
    try checkUsable()
    return try await noting {
      let begin = hasBegun ? nil : beginText
      hasBegun = true
      return try await traced("\(S.self)") {
        try await connection.execute(
          statement, schema: schema, role: role(for: schema), begin: begin)
        return try connection.reading(S.self, read)
      }
    }
  }

  private func perform<R>(
    _ sql: ComposedSQL, _ schema: TenantSchema?, _ read: (Connection) throws -> R
  ) async throws -> R {
    try checkUsable()
    return try await noting {
      let begin = hasBegun ? nil : beginText
      hasBegun = true
      return try await traced("\(ComposedSQL.self)") {
        try await connection.execute(sql, schema: schema, role: role(for: schema), begin: begin)
        return try connection.reading(ComposedSQL.self, read)
      }
    }
  }

  private func noting<R>(_ work: () async throws -> R) async throws -> R {
    do {
      return try await work()
    } catch let error as DatabaseError {
      // A row that could not be read is our mistake and leaves the transaction as it was.
      if error.sqlState != .decoding { failure = failure ?? error }
      throw error
    }
  }
}
