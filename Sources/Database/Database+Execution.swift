import Platform

/// How often one statement or transaction is tried when another transaction gets in its way.
private let attemptsMax = 4
/// How often when the connection does not know the tenant's role: each try gives one up, and there may be several of them.
private let membershipAttemptsMax = 20

extension DatabaseError {
  /// Whether it may be tried once more after so many times.
  fileprivate func isWorthRetrying(after attempts: Int) -> Bool {
    isRetryable && attempts < (isUnknownMembership ? membershipAttemptsMax : attemptsMax)
  }
}

extension Database {
  func perform<S: Statement, R: Sendable>(
    _ statement: S, _ schema: TenantSchema?, _ read: (Connection) throws -> R
  ) async throws -> R {
    let role = settings.isolation == .role ? schema : nil
    return try await traced("\(S.self)") {
      try await leased(for: schema) { connection in
        try await connection.execute(statement, schema: schema, role: role)
        return try connection.reading(S.self, read)
      }
    }
  }

  func perform<R: Sendable>(
    _ sql: ComposedSQL, _ schema: TenantSchema?, _ read: (Connection) throws -> R
  ) async throws -> R {
    let role = settings.isolation == .role ? schema : nil
    return try await traced("\(ComposedSQL.self)") {
      try await leased(for: schema) { connection in
        try await connection.execute(sql, schema: schema, role: role)
        return try connection.reading(ComposedSQL.self, read)
      }
    }
  }

  /// Lends a connection for one statement that is a transaction of its own.
  func leased<R>(for schema: TenantSchema?, _ body: (Connection) async throws -> R) async throws
    -> R
  {
    var attempt = 1
    while true {
      let connection = try await pool.lease(for: schema)
      do {
        let result = try await body(connection)
        pool.release(connection)
        pool.metrics.answered.add()
        return result
      } catch {
        pool.release(connection)
        pool.metrics.note(error)
        guard let failure = error as? DatabaseError, failure.isWorthRetrying(after: attempt) else {
          throw error
        }
        try await pause(after: attempt)
        attempt += 1
      }
    }
  }

  /// A random moment, so that two transactions that collided do not collide again.
  ///
  /// At most 10 milliseconds after the first attempt, twice as long after each further one, and never more than 80.
  private func pause(after attempt: Int) async throws {
    try await Task.sleep(for: .microseconds(Int.random(in: 500...(5_000 << min(attempt, 4)))))
  }

  func transact<R: Sendable>(
    _ schema: TenantSchema?, _ isolation: Isolation, _ body: (Transaction) async throws -> R
  ) async throws -> R {
    var attempt = 1
    while true {
      let connection = try await pool.lease(for: schema)
      let transaction = Transaction(
        connection, schema: schema, isolation: isolation, tenantIsolation: settings.isolation)
      do {
        let result = try await body(transaction)
        try await transaction.commit()
        pool.release(connection)
        pool.metrics.answered.add()
        transaction.runEffects()
        return result
      } catch {
        await transaction.rollBack()
        pool.release(connection)
        // What the body threw may be a consequence of what the database said first.
        let cause = (error as? DatabaseError) ?? transaction.failure
        if let cause { pool.metrics.note(cause) }
        guard let cause, cause.isWorthRetrying(after: attempt), !Task.isCancelled else {
          throw error
        }
        try await pause(after: attempt)
        attempt += 1
      }
    }
  }
}
