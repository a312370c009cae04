import Database
import Platform
import Tenancy

/// Opens what is sealed under a subject's key, wherever the declarations say there is something.
struct SealedDocuments: Sendable {
  let map: DataMap
  let key: SubjectKey

  /// Documents of one table; enough to know what to look for in a trail of a million events.
  static let rowsMax = 2000

  func all(of subject: UserID, in tx: Transaction) async throws -> [SubjectDocument] {
    var documents: [SubjectDocument] = []
    for declaration in map.declarations where declaration.subject != nil {
      for column in declaration.columns {
        guard case .sealed(let row) = column.storage else { continue }
        let query = declaration.sealedDocuments(
          column.name, row: row, of: subject, limit: Self.rowsMax)
        let sealed = try await tx.all(query) { reader in
          (row: try reader.next(String.self), document: try reader.next([UInt8].self))
        }
        for entry in sealed {
          let place = SealedPlace(
            table: declaration.table.name, column: column.name.name, row: entry.row)
          // Rows where the subject only acted are sealed for somebody else.
          guard let members = try? key.open(entry.document, at: place) else { continue }
          documents.append(
            SubjectDocument(isAccount: declaration.erasure == .shred, members: members))
        }
      }
    }
    return documents
  }
}

/// What was sealed under a subject's key.
struct SubjectDocument: Sendable {
  /// Whether it is the account itself; what other documents say may be past, and another's today.
  let isAccount: Bool
  let members: JSONObject
}
