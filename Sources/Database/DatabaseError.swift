/// A refusal of the database, or of the way to it.
///
/// `description` says nothing, so that it can be shown; `debugDescription` is for the log. Bound values are in neither.
package struct DatabaseError: Error, Sendable {
  package let sqlState: SQLState
  package let constraint: String?
  /// The name of the statement's type.
  package internal(set) var statement: String?
  /// Whether this backend does not know a tenant's role to be ours; another one does.
  ///
  /// Postgres 15 loses the news of a role that is made while a backend reads the memberships of ours, until the next
  /// one is made (`roles_is_member_of` in its acl.c).
  var isUnknownMembership = false
  private let message: String

  init(_ sqlState: SQLState, _ message: String, constraint: String? = nil, statement: String? = nil)
  {
    self.sqlState = sqlState
    self.message = message
    self.constraint = constraint
    self.statement = statement
  }

  static func decoding(_ problem: String) -> DatabaseError { DatabaseError(.decoding, problem) }

  func labelled(_ statement: String) -> DatabaseError {
    var copy = self
    copy.statement = self.statement ?? statement
    return copy
  }

  /// Whether the whole transaction may be tried again: it has left no trace.
  package var isRetryable: Bool {
    sqlState == .serializationFailure || sqlState == .deadlockDetected || isStalePlan
      || isUnknownMembership
  }

  /// Whether the database cannot be reached or has no capacity: a caller's 503.
  package var isUnavailable: Bool {
    ["08", "53", "57"].contains(sqlState.rawValue.prefix(2)) && sqlState != .queryCanceled
  }

  /// Whether the role, the schema or a table of the tenant is not there: it was deleted a moment ago.
  ///
  /// A connection that has the role already misses the table.
  package var isTenantMissing: Bool {
    sqlState == .invalidParameterValue || sqlState == .undefinedSchema
      || (sqlState == .undefinedTable && message.contains("\"t_"))
  }

  /// A prepared statement that a migration has outdated; parsing it again helps.
  var isStalePlan: Bool {
    sqlState == .invalidStatementName
      || (sqlState == .featureNotSupported && message.contains("cached plan"))
  }
}

extension DatabaseError: CustomStringConvertible, CustomDebugStringConvertible {
  package var description: String { "database error" }

  package var debugDescription: String {
    let names = [statement.map { "statement \($0)" }, constraint.map { "constraint \($0)" }]
    let context = names.compactMap { $0 }.joined(separator: ", ")
    return "database error \(sqlState.rawValue): \(message)"
      + (context.isEmpty ? "" : " (\(context))")
  }
}

/// The five characters by which Postgres names a condition (its manual, appendix A).
package struct SQLState: RawRepresentable, Hashable, Sendable {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }

  package static let cannotConnect = SQLState(rawValue: "08001")
  package static let connectionLost = SQLState(rawValue: "08006")
  /// The connection was lost while COMMIT was under way: it happened or it did not.
  package static let commitOutcomeUnknown = SQLState(rawValue: "08007")
  package static let featureNotSupported = SQLState(rawValue: "0A000")
  package static let cardinalityViolation = SQLState(rawValue: "21000")
  /// What SET ROLE answers for a role that is not there.
  package static let invalidParameterValue = SQLState(rawValue: "22023")
  package static let notNullViolation = SQLState(rawValue: "23502")
  package static let foreignKeyViolation = SQLState(rawValue: "23503")
  package static let uniqueViolation = SQLState(rawValue: "23505")
  package static let checkViolation = SQLState(rawValue: "23514")
  package static let readOnlyTransaction = SQLState(rawValue: "25006")
  package static let inFailedTransaction = SQLState(rawValue: "25P02")
  package static let invalidStatementName = SQLState(rawValue: "26000")
  package static let invalidPassword = SQLState(rawValue: "28P01")
  package static let invalidDatabase = SQLState(rawValue: "3D000")
  package static let undefinedSchema = SQLState(rawValue: "3F000")
  package static let serializationFailure = SQLState(rawValue: "40001")
  package static let deadlockDetected = SQLState(rawValue: "40P01")
  package static let insufficientPrivilege = SQLState(rawValue: "42501")
  package static let syntaxError = SQLState(rawValue: "42601")
  package static let undefinedObject = SQLState(rawValue: "42704")
  package static let undefinedTable = SQLState(rawValue: "42P01")
  /// The server's limit, or ours: no connection became free in time, or too many callers wait.
  package static let tooManyConnections = SQLState(rawValue: "53300")
  package static let lockNotAvailable = SQLState(rawValue: "55P03")
  /// A statement that took too long, or that an operator cancelled.
  package static let queryCanceled = SQLState(rawValue: "57014")
  package static let adminShutdown = SQLState(rawValue: "57P01")
  package static let cannotConnectNow = SQLState(rawValue: "57P03")
  /// Ours, not Postgres': a row that is not what the statement's type expects.
  package static let decoding = SQLState(rawValue: "TN001")
  /// Ours: a migration that is not what was applied before.
  package static let migrationMismatch = SQLState(rawValue: "TN002")
}
