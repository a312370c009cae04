import Archive
import Database
import FoundationEssentials
import Jobs
import Platform
import Tenancy

/// Writes the entries of one export: data by category, a readable page, Article 15 information, the manifest.
///
/// Rows pass through; only the first ones of each table are kept, for the page.
struct ExportWriter {
  let zip: ZIPWriter
  let engine: ExportEngine
  let tenant: Tenant
  let subject: UserID
  let key: SubjectKey
  let request: ID<DataRequest>
  let createdAt: Date
  let context: JobContext

  func write(in tx: Transaction) async throws {
    var manifest: [JSON] = []
    var sections: [ExportSection] = []
    let total = try await engine.plan(subject, in: tx).reduce(0) { $0 + $1.rows }
    var done = 0
    for file in engine.map.exportFiles {
      let name = "data/\(file.name).json"
      try await zip.beginEntry(name, modified: createdAt)
      try await zip.write(Array("{".utf8))
      var rows = 0
      for (index, declaration) in file.tables.enumerated() {
        var section = ExportSection(file: file.name, declaration: declaration)
        try await text("\(index == 0 ? "" : ",")\n  \(JSON.string(declaration.table.name).text): [")
        try await engine.pages(subject, key: key, of: declaration, in: tx) { page in
          try context.checkCancelled()
          var bytes: [UInt8] = []
          for row in page {
            bytes += Array((section.rowCount == 0 ? "\n    " : ",\n    ").utf8)
            bytes += JSON.object(row).encoded()
            section.add(row)
          }
          try await zip.write(bytes)
          done += page.count
          context.progress(done, of: max(done, total))
        }
        try await text("\n  ]")
        rows += section.rowCount
        sections.append(section)
      }
      try await text("\n}\n")
      manifest.append(Self.entry(name, try await zip.endEntry(), rows: rows))
    }
    let information = ProcessingRecord(map: engine.map)
    manifest.append(
      try await add("information.json", information.subjectInformation(tenant).encoded()))
    let page = ExportPage(
      tenant: tenant, subject: subject, createdAt: createdAt, sections: sections,
      information: information)
    manifest.append(try await add("index.html", Array(page.html.utf8)))
    _ = try await add("manifest.json", self.manifest(manifest).encoded())
  }

  private func text(_ text: String) async throws { try await zip.write(Array(text.utf8)) }

  private func add(_ name: String, _ bytes: [UInt8]) async throws -> JSON {
    try await zip.beginEntry(name, modified: createdAt)
    try await zip.write(bytes)
    return Self.entry(name, try await zip.endEntry(), rows: nil)
  }

  private func manifest(_ files: [JSON]) -> JSON {
    [
      "format": "tenure-export/1",
      "organization": ["id": .string(tenant.id.description), "name": .string(tenant.name)],
      "issuer": .string(tenant.issuer),
      "subject": .string(subject.description),
      "request": .string(request.description),
      "created_at": .string(createdAt.rfc3339),
      "files": .array(files),
    ]
  }

  private static func entry(_ name: String, _ digest: ArchiveDigest, rows: Int?) -> JSON {
    var entry: JSONObject = [
      "name": .string(name), "size": .integer(digest.size),
      "sha256": .string(Hex.encode(digest.sha256)),
    ]
    if let rows { entry["rows"] = .integer(rows) }
    return .object(entry)
  }
}

/// What the readable page shows of one table.
struct ExportSection: Sendable {
  let file: String
  let declaration: PersonalData
  private(set) var rows: [JSONObject] = []
  private(set) var rowCount = 0

  /// The rest is in the JSON file.
  static let rowsMax = 200

  init(file: String, declaration: PersonalData) {
    self.file = file
    self.declaration = declaration
  }

  mutating func add(_ row: JSONObject) {
    rowCount += 1
    if rows.count < Self.rowsMax { rows.append(row) }
  }
}
