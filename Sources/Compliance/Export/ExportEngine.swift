import Database
import FoundationEssentials
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
      let rows = try await tx.first(declaration.exportCount(subject)) { row in
        try row.next(Int.self)
      }
      steps.append(
        ErasureStep(table: declaration.table.name, action: "export", rows: rows ?? 0))
    }
    return steps
  }

  /// Calls `body` with one page after the other; rows are documents as the person gets them.
  func pages(
    _ subject: UserID, key: SubjectKey, of declaration: PersonalData, in tx: Transaction,
    _ body: (_ rows: [JSONObject]) async throws -> Void
  ) async throws {
    guard let owner = declaration.subject else { return }
    var last: JSON?
    while true {
      let query = declaration.exportPage(subject, owner: owner, after: last, limit: Self.pageRows)
      let page = try await tx.all(query) { row in try decode(&row, declaration, key) }
      if !page.isEmpty { try await body(page.map(\.document)) }
      guard page.count == Self.pageRows, let end = page.last else { return }
      last = end.key
    }
  }

  private func decode(
    _ row: inout RowReader, _ declaration: PersonalData, _ key: SubjectKey
  ) throws -> ExportRow {
    let id: JSON = try row.next()
    var document: JSONObject = [:]
    for column in declaration.exported {
      guard case .sealed = column.storage else {
        document[column.name.name] = ExportTime.normal(try row.next(JSON?.self) ?? .null)
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

/// Times as Postgres writes them in JSON, `2026-11-21T08:25:00.123456+00:00`, in our form.
enum ExportTime {
  static func normal(_ value: JSON) -> JSON {
    guard case .string(let text) = value else { return value }
    return utc(text).map(JSON.string) ?? value
  }

  static func utc(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    guard (20...35).contains(bytes.count), bytes[4] == UInt8(ascii: "-"),
      bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":")
    else { return nil }
    return Date(rfc3339: text)?.rfc3339
  }
}

struct ExportRow: Sendable {
  let key: JSON
  let document: JSONObject
}
