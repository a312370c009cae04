import Database
package import FoundationEssentials
package import Platform

/// How long a tenant keeps what a declared target names.
package struct RetentionRule: Hashable, Sendable {
  /// The id of the declared target, such as `session.ended`.
  package let id: String
  package let table: String
  /// `delete`, or `erase_subject` for accounts.
  package let action: String
  package let isEnabled: Bool
  package let keepDays: Int
  package let updatedAt: Date
}

/// One run of the rules of a tenant.
package struct RetentionRun: Hashable, Sendable {
  package let id: ID<RetentionRun>
  package let isDryRun: Bool
  package let channel: RetentionChannel
  package let state: RetentionRunState
  package let startedAt: Date
  package let finishedAt: Date?
  /// Rows per rule: deleted so far, or that a run would delete.
  package let counts: [RetentionCount]
}

package enum RetentionChannel: String, Hashable, Sendable, SQLCodable {
  case schedule
  case adminAPI = "admin_api"
}

package enum RetentionRunState: String, Hashable, Sendable, SQLCodable {
  case running, completed, failed
}

/// The rows one rule takes away.
package struct RetentionCount: Hashable, Sendable {
  package let rule: String
  package let table: String
  package let rows: Int

  package var json: JSON {
    ["rule": .string(rule), "table": .string(table), "rows": .integer(rows)]
  }

  init(rule: String, table: String, rows: Int) {
    self.rule = rule
    self.table = table
    self.rows = rows
  }

  init?(_ json: JSON) {
    guard let rule = json["rule"]?.stringValue, let table = json["table"]?.stringValue,
      let rows = json["rows"]?.integerValue
    else { return nil }
    self.init(rule: rule, table: table, rows: rows)
  }
}

package enum RetentionError: Error, Hashable, Sendable {
  case unknownRule
  /// Days outside 0 to 36500.
  case invalidDays
}
