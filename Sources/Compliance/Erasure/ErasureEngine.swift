import Database
import Platform
import Tenancy

/// Deletes, anonymises and shreds what the declarations name, in the caller's transaction.
struct ErasureEngine: Sendable {
  let map: DataMap

  /// The rows that name the subject, per table, with what would happen to them.
  func plan(_ subject: UserID, in tx: Transaction) async throws -> [ErasureStep] {
    var steps: [ErasureStep] = []
    for declaration in map.erasureOrder {
      let count: ComposedSQL =
        "select count(*) from \(tenant).\(declaration.table) where \(declaration.rows(of: subject))"
      let rows = try await tx.first(count) { row in try row.next(Int.self) } ?? 0
      steps.append(declaration.step(rows))
    }
    return steps
  }

  /// Erases in the tables given; the rows per table are those that were there.
  func erase(
    _ subject: UserID, from tables: [PersonalData], in tx: Transaction
  ) async throws -> [ErasureStep] {
    var steps: [ErasureStep] = []
    for declaration in tables {
      let rows: Int
      switch declaration.erasure {
      case .none: continue
      case .delete, .shred:
        rows = try await tx.run(
          "delete from \(tenant).\(declaration.table) where \(declaration.rows(of: subject))")
      case .anonymise(let replacements):
        rows = try await tx.run(declaration.anonymisation(replacements, of: subject))
      case .retain:
        let count: ComposedSQL =
          "select count(*) from \(tenant).\(declaration.table) where \(declaration.rows(of: subject))"
        rows = try await tx.first(count) { row in try row.next(Int.self) } ?? 0
      }
      steps.append(declaration.step(rows))
    }
    return steps
  }
}

extension PersonalData {
  /// The condition for rows that name the subject: in the subject column, or as the one who acted.
  func rows(of subject: UserID) -> ComposedSQL {
    var conditions: [ComposedSQL] = []
    if let column = self.subject { conditions.append("\(column) = \(bind: subject)") }
    for replacement in replaced where replacement.how == .nullIfSubject {
      conditions.append("\(replacement.column)::text = \(bind: subject.description)")
    }
    return "(\(ComposedSQL.joined(conditions, by: " or ")))"
  }

  func anonymisation(_ replacements: [Replacement], of subject: UserID) -> ComposedSQL {
    let assignments = replacements.map { replacement -> ComposedSQL in
      let column = replacement.column
      switch replacement.how {
      case .null:
        guard let owner = self.subject else { return "\(column) = null" }
        // A row where the subject only acted keeps what it says about another person.
        return "\(column) = case when \(owner) = \(bind: subject) then null else \(column) end"
      case .nullIfSubject:
        return
          "\(column) = case when \(column)::text = \(bind: subject.description) then null else \(column) end"
      }
    }
    return """
      update \(tenant).\(table)
         set \(ComposedSQL.joined(assignments, by: ", "))
       where \(rows(of: subject))
      """
  }

  func step(_ rows: Int) -> ErasureStep {
    let action =
      switch erasure {
      case .none: "none"
      case .delete: "delete"
      case .shred: "shred"
      case .anonymise: "anonymise"
      case .retain: "retain"
      }
    return ErasureStep(table: table.name, action: action, rows: rows)
  }
}
