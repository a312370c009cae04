import Database
import Platform
import Tenancy

/// Has pages read in the order of an index, where one has it, until the transaction ends.
///
/// Postgres takes a table that nobody has analysed to hold few rows of each person: every page would fetch and sort all
/// that are left.
struct PageByIndex: Statement {
  static let sql: SQL<Self> = "select set_config('enable_bitmapscan', 'off', true)"
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

/// What an export asks one declared table.
extension PersonalData {
  func exportCount(_ subject: UserID) -> ComposedSQL {
    guard let owner = self.subject else { return "select 0::bigint" }
    return """
      select count(*)
        from \(tenant).\(table)
       where \(owner) = \(bind: subject)
      """
  }

  /// A page of the subject's rows after the key: key, plain columns as JSON, sealed columns with the id they are
  /// sealed for.
  func exportPage(
    _ subject: UserID, owner: Identifier, after last: JSON?, limit: Int
  ) -> ComposedSQL {
    let order = ComposedSQL.joined(key.map { "t.\($0)" }, by: ", ")
    guard let last else {
      return """
        select \(exportColumns)
          from \(tenant).\(table) as t
         where t.\(owner) = \(bind: subject)
         order by \(order)
         limit \(bind: limit)
        """
    }
    // The last key comes back as a row of the table, so that its columns have their own types.
    let after = ComposedSQL.joined(key.map { "last.\($0)" }, by: ", ")
    return """
      select page.*
        from jsonb_populate_record(null::\(tenant).\(table), \(bind: last)) as last
       cross join lateral (
             select \(exportColumns)
               from \(tenant).\(table) as t
              where t.\(owner) = \(bind: subject)
                and (\(order)) > (\(after))
              order by \(order)
              limit \(bind: limit)) as page
      """
  }

  private var exportColumns: ComposedSQL {
    let pairs = key.map { name -> ComposedSQL in "\(bind: name.name), t.\(name)" }
    var columns: [ComposedSQL] = ["jsonb_build_object(\(ComposedSQL.joined(pairs, by: ", ")))"]
    for column in exported {
      if case .sealed(let row) = column.storage {
        columns += ["t.\(row)::text", "t.\(column.name)"]
      } else {
        columns.append("to_jsonb(t.\(column.name))")
      }
    }
    // Columns of a derived table need names of their own.
    return ComposedSQL.joined(columns, by: ", ")
  }
}
