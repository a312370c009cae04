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
      let others: ComposedSQL =
        declaration.subject == nil ? "true" : "(\(declaration.rows(of: subject))) is not true"
      let common = try await tx.all(
        """
        select n.value
          from unnest(\(bind: rest)) as n (value)
         where exists (select
                         from \(tenant).\(declaration.table) as t
                        where \(others)
                          and strpos(lower(\(declaration.rowText)), lower(n.value)) > 0)
        """
      ) { row in try row.next(String.self) }
      rest.removeAll { common.contains($0) }
    }
    return SubjectNeedles(certain: needles.certain, ambiguous: rest)
  }

  /// The tables in which something of the subject is left.
  func tables(with needles: SubjectNeedles, in tx: Transaction) async throws -> [String] {
    let values = needles.certain + needles.ambiguous
    var hits: [String] = []
    for declaration in map.declarations {
      let found = try await tx.first(
        """
        select exists (select
                         from \(tenant).\(declaration.table) as t
                        cross join unnest(\(bind: values)) as n (value)
                        where strpos(lower(\(declaration.rowText)), lower(n.value)) > 0)
        """
      ) { row in try row.next(Bool.self) }
      if found == true { hits.append(declaration.table.name) }
    }
    return hits
  }
}

extension PersonalData {
  /// The row as one text, columns apart.
  fileprivate var rowText: ComposedSQL {
    let columns = columns.map { column -> ComposedSQL in "t.\(column.name)::text" }
    return "concat_ws(' | ', \(ComposedSQL.joined(columns, by: ", ")))"
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
