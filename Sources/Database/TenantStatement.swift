import Platform

/// A statement for one of several tenants that are served together.
package struct TenantStatement<S: Statement>: Sendable {
  package let statement: S
  package let schema: TenantSchema

  package init(_ statement: S, in schema: TenantSchema) {
    self.statement = statement
    self.schema = schema
  }
}

/// Nothing was done for any of the tenants.
package struct TogetherError: Error {
  package let cause: DatabaseError
  /// Whose statement it was; nil if it was nobody's.
  package let culprit: Int?
}

extension Database {
  /// How many lanes there are, numbered from 0.
  package static let lanes = 4

  /// Runs a statement for each of several tenants, under the tenant's role, all in one transaction and one round trip: one
  /// wait for the disk serves them all.
  ///
  /// All have happened when it returns, and none when it throws. Whoever runs the same kind of statement for the same
  /// tenants again and again names the same lane: it gets the same connections, which know the plans. Tenants must come
  /// in the same order everywhere, or two of these wait for each other; a lock that is not to be had for so long makes
  /// its tenant the culprit. It is not tried again.
  ///
  /// - Returns: how many rows each has affected.
  package func run<S: Statement>(
    together statements: [TenantStatement<S>], lane: Int, lockMilliseconds: Int
  ) async throws -> [Int] {
    guard !statements.isEmpty else { return [] }
    let connection = try await pool.lease(for: .lane(lane))
    defer { pool.release(connection) }
    do {
      let counts = try await traced("\(S.self)") {
        try await connection.execute(
          together: statements, isolation: settings.isolation, lockMilliseconds: lockMilliseconds)
      }
      pool.metrics.answered.add()
      return counts
    } catch {
      pool.metrics.note((error as? TogetherError)?.cause ?? error)
      throw error
    }
  }
}
