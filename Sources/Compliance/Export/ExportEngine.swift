import Database
import Platform
import Tenancy

/// Reads what the declarations hand out about a subject, in pages by primary key.
///
/// The caller's transaction is REPEATABLE READ: all pages are of one moment.
struct ExportEngine: Sendable {
  let map: DataMap

  static let pageRows = 500

  /// The rows per table an export would hold.
  func plan(_ subject: UserID, in tx: Transaction) async throws -> [ErasureStep] {
    var steps: [ErasureStep] = []
    for declaration in map.declarations where declaration.isExported {
      let rows = try await count(subject, in: declaration, tx)
      steps.append(ErasureStep(table: declaration.table.name, action: "export", rows: rows))
    }
    return steps
  }

  func count(
    _ subject: UserID, in declaration: PersonalData, _ tx: Transaction
  ) async throws -> Int {
    guard let column = declaration.subject else { return 0 }
    let count: ComposedSQL =
      "select count(*) from \(tenant).\(declaration.table) where \(column) = \(bind: subject)"
    return try await tx.first(count) { row in try row.next(Int.self) } ?? 0
  }

  /// Calls `body` with one page after the other; rows are documents as the person gets them.
  func pages(
    _ subject: UserID, key: SubjectKey, of declaration: PersonalData, in tx: Transaction,
    _ body: (_ rows: [JSONObject]) async throws -> Void
  ) async throws {
    guard let owner = declaration.subject else { return }
    var last: JSON?
    while true {
      let page = try await tx.all(query(subject, owner, declaration, after: last)) { row in
        try decode(&row, declaration, key)
      }
      if !page.isEmpty { try await body(page.map(\.document)) }
      guard page.count == Self.pageRows, let end = page.last else { return }
      last = end.key
    }
  }

  /// Key, plain columns as JSON, sealed columns with the id they are sealed for.
  private func query(
    _ subject: UserID, _ owner: Identifier, _ declaration: PersonalData, after last: JSON?
  ) -> ComposedSQL {
    let table = declaration.table
    let keys = declaration.key
    let pairs = keys.map { name -> ComposedSQL in "\(bind: name.name), t.\(name)" }
    var columns: [ComposedSQL] = [
      "jsonb_build_object(\(ComposedSQL.joined(pairs, by: ", ")))"
    ]
    for column in declaration.exported {
      if case .sealed(let row) = column.storage {
        columns += ["t.\(row)::text", "t.\(column.name)"]
      } else {
        columns.append("to_jsonb(t.\(column.name))")
      }
    }
    let order = ComposedSQL.joined(keys.map { "t.\($0)" }, by: ", ")
    let list = ComposedSQL.joined(columns, by: ", ")
    guard let last else {
      return """
        select \(list)
          from \(tenant).\(table) as t
         where t.\(owner) = \(bind: subject)
         order by \(order)
         limit \(bind: Self.pageRows)
        """
    }
    // The last key comes back as a row of the table, so that its columns have their own types.
    let after = ComposedSQL.joined(keys.map { "last.\($0)" }, by: ", ")
    return """
      select page.*
        from jsonb_populate_record(null::\(tenant).\(table), \(bind: last)) as last
       cross join lateral (
             select \(list)
               from \(tenant).\(table) as t
              where t.\(owner) = \(bind: subject)
                and (\(order)) > (\(after))
              order by \(order)
              limit \(bind: Self.pageRows)) as page
      """
  }

  private func decode(
    _ row: inout RowReader, _ declaration: PersonalData, _ key: SubjectKey
  ) throws -> ExportRow {
    let id: JSON = try row.next()
    var document: JSONObject = [:]
    for column in declaration.exported {
      guard case .sealed = column.storage else {
        document[column.name.name] = try row.next(JSON?.self) ?? .null
        continue
      }
      let place = SealedPlace(
        table: declaration.table.name, column: column.name.name, row: try row.next())
      guard let sealed: [UInt8] = try row.next() else { continue }
      for member in try key.open(sealed, at: place) { document[member.name] = member.value }
    }
    return ExportRow(key: id, document: document)
  }
}

struct ExportRow: Sendable {
  let key: JSON
  let document: JSONObject
}
