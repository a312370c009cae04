import CPostgres

/// What the server says about a statement without running it.
package struct StatementDescription: Sendable, Equatable {
  package let parameters: [SQLType]
  package let columns: [Column]

  package struct Column: Sendable, Equatable {
    package let name: String
    package let type: SQLType
  }
}

extension Database {
  /// Has the server parse and analyse a statement: this is how a test checks all of them against the schema.
  package func describe<S: Statement>(
    _ statement: S.Type, in schema: TenantSchema?
  ) async throws -> StatementDescription {
    let role = settings.isolation == .role ? schema : nil
    return try await leased(for: schema) { connection in
      try await connection.describe(S.self, schema: schema, role: role)
    }
  }
}
