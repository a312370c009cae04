import Database
package import FoundationEssentials
package import Platform
package import Tenancy

/// A data-subject request (GDPR Article 12 to 22).
///
/// ```
/// received ─▶ verified ─▶ running ─▶ fulfilled
///     │           │          ├─────▶ refused   the person is being erased
///     └───────────┴──────────┴─────▶ failed ──▶ running (the job is redriven)
/// ```
package struct DataRequest: Hashable, Sendable {
  package let id: ID<DataRequest>
  package let kind: DataRequestKind
  package let state: DataRequestState
  /// Nil once the subject is erased.
  package let subject: UserID?
  package let channel: DataRequestChannel
  package let receivedAt: Date
  package let verifiedAt: Date?
  /// One month after receipt (Article 12(3)).
  package let dueAt: Date
  package let completedAt: Date?
  /// Rows per table and action of an erasure.
  package let report: [ErasureStep]?
  /// A sentence that is safe to show.
  package let error: String?
  /// What an export brought, while it is there.
  package let package: ExportPackage?
}

package enum DataRequestKind: String, Hashable, Sendable, CaseIterable, SQLCodable {
  /// Access and portability (Article 15 and 20).
  case export
  /// Erasure (Article 17).
  case erasure
}

package enum DataRequestState: String, Hashable, Sendable, CaseIterable, SQLCodable {
  case received, verified, running, fulfilled, refused, failed

  /// Whether its job is still to do.
  var isOpen: Bool { self == .received || self == .verified || self == .running }
}

package enum DataRequestChannel: String, Hashable, Sendable, SQLCodable {
  /// The person, after a fresh login.
  case selfService = "self_service"
  case adminAPI = "admin_api"
  /// A retention rule for inactive accounts.
  case retention
  /// An administrator deletes the account.
  case deletion

  /// Whether the identity of the person is settled when the request comes in (Article 12(6)).
  var isVerified: Bool { self == .selfService || self == .adminAPI }
}

/// Why a request cannot be opened.
package enum DataRequestError: Error, Hashable, Sendable {
  case unknownSubject
  /// An export of an account that is being erased.
  case erasing
}

/// What happens to the rows of one table.
package struct ErasureStep: Hashable, Sendable {
  package let table: String
  /// `delete`, `shred`, `anonymise` or `retain`.
  package let action: String
  package let rows: Int

  package var json: JSON {
    ["table": .string(table), "action": .string(action), "rows": .integer(rows)]
  }

  init(table: String, action: String, rows: Int) {
    self.table = table
    self.action = action
    self.rows = rows
  }

  init?(_ json: JSON) {
    guard let table = json["table"]?.stringValue, let action = json["action"]?.stringValue,
      let rows = json["rows"]?.integerValue
    else { return nil }
    self.init(table: table, action: action, rows: rows)
  }

  /// The rows of two rounds together: an erasure that is taken over goes on counting.
  static func sum(_ first: [ErasureStep], _ second: [ErasureStep]) -> [ErasureStep] {
    var sum = first
    for step in second {
      if let index = sum.firstIndex(where: { $0.table == step.table && $0.action == step.action }) {
        sum[index] = ErasureStep(
          table: step.table, action: step.action, rows: sum[index].rows + step.rows)
      } else {
        sum.append(step)
      }
    }
    return sum
  }
}

extension Date {
  /// The same day of the next month in UTC, or its last day if it is shorter (Regulation 1182/71 Article 3(2)(c)).
  package var oneMonthLater: Date {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    // Foundation clamps to the end of the month.
    return calendar.date(byAdding: .month, value: 1, to: self) ?? addingTimeInterval(30 * 86400)
  }
}
