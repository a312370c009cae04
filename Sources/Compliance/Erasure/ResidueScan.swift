import Database
import Jobs
import Platform
import Tenancy

/// Searches every declared table of a tenant for what is left of a subject (design section 7).
///
/// A row is searched as the text of its declared columns, so binary columns are seen as hexadecimal digits.
struct ResidueScan: Sendable {
  let map: DataMap

  /// Drops the ambiguous values that stand in rows of others; to be called before anything is deleted.
  func distinguishing(
    _ needles: SubjectNeedles, of subject: UserID, in tx: Transaction
  ) async throws -> SubjectNeedles {
    var rest = needles.ambiguous
    for declaration in map.declarations where !rest.isEmpty {
      let common = try await tx.all(declaration.common(rest, notOf: subject)) { row in
        try row.next(String.self)
      }
      rest.removeAll { common.contains($0) }
    }
    return SubjectNeedles(
      ids: needles.ids, identifiers: needles.identifiers, ambiguous: rest, indexes: needles.indexes)
  }

  /// The tables in which something of the subject is left.
  func tables(with needles: SubjectNeedles, in tx: Transaction) async throws -> [String] {
    let account = map.declarations.first { $0.erasure == .shred }
    let sharers = account?.sharers(of: needles.indexes)
    var hits: [String] = []
    for declaration in map.declarations {
      let found = try await tx.first(declaration.residue(needles, sharers: sharers)) { row in
        try row.next(Bool.self)
      }
      if found == true { hits.append(declaration.table.name) }
    }
    return hits
  }
}

/// Something of the subject is left; the erasure does not happen.
struct ResidueFound: JobFailure, Equatable {
  let tables: [String]
  /// A transaction that ended meanwhile may have left it: the next attempt takes it along.
  let canRetry: Bool

  var sentence: String {
    "The search after the erasure found data of the person in: \(tables.joined(separator: ", "))."
  }
}
