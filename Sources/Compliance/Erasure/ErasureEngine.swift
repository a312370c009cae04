import Database
import Tenancy

/// Deletes, anonymises and shreds what the declarations name, in the caller's transaction.
struct ErasureEngine: Sendable {
  let map: DataMap

  /// The rows that name the subject, per table, with what would happen to them.
  func plan(_ subject: UserID, in tx: Transaction) async throws -> [ErasureStep] {
    var steps: [ErasureStep] = []
    for declaration in map.erasureOrder {
      steps.append(declaration.step(try await count(subject, in: declaration, tx)))
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
      case .delete, .shred: rows = try await tx.run(declaration.deletion(of: subject))
      case .anonymise: rows = try await tx.run(declaration.anonymisation(of: subject))
      case .retain: rows = try await count(subject, in: declaration, tx)
      }
      steps.append(declaration.step(rows))
    }
    return steps
  }

  private func count(
    _ subject: UserID, in declaration: PersonalData, _ tx: Transaction
  ) async throws -> Int {
    try await tx.first(declaration.counting(subject)) { row in try row.next(Int.self) } ?? 0
  }
}

extension PersonalData {
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
