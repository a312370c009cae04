package import Database
package import Tenancy

/// Everything the declarations say, in the order the engines need it (design section 7).
package struct DataMap: Sendable {
  /// In the order of the assemblies; the export and the records keep it.
  package let declarations: [PersonalData]
  /// Tables of which rows name a person: referring tables before the tables they refer to.
  let erasureOrder: [PersonalData]

  /// Refuses declarations that contradict each other; the sentence is for the log of the start.
  package init(_ declarations: [PersonalData]) throws(DataMapError) {
    self.declarations = declarations
    var tables: Set<Identifier> = []
    for declaration in declarations {
      guard tables.insert(declaration.table).inserted else {
        throw DataMapError("table \(declaration.table) is declared twice")
      }
      try declaration.check()
    }
    let ids = declarations.flatMap(\.retention).map(\.id)
    guard Set(ids).count == ids.count else {
      throw DataMapError("two retention targets share an id")
    }
    erasureOrder = try Self.ordered(declarations.filter { $0.subject != nil })
  }

  package subscript(_ table: Identifier) -> PersonalData? {
    declarations.first { $0.table == table }
  }

  /// Tables about people, by the file of the export they go to.
  var exportFiles: [(name: String, tables: [PersonalData])] {
    var files: [(name: String, tables: [PersonalData])] = []
    for declaration in declarations where declaration.subject != nil {
      guard let name = declaration.export else { continue }
      if let index = files.firstIndex(where: { $0.name == name }) {
        files[index].tables.append(declaration)
      } else {
        files.append((name, [declaration]))
      }
    }
    return files
  }

  /// What lets a person or an application in: gone before anything else of an erasure.
  var access: [PersonalData] { erasureOrder.filter(\.grantsAccess) }

  /// Along the references, so that a row goes before the row it refers to.
  ///
  /// What refers to nothing and is only anonymised, such as the audit trail, waits for all deletions: they
  /// wait for transactions that are still writing to it. What shreds the key comes last.
  private static func ordered(_ declarations: [PersonalData]) throws(DataMapError) -> [PersonalData]
  {
    var ordered: [PersonalData] = []
    var rest = declarations
    while !rest.isEmpty {
      // Nothing that is left refers to these.
      let free = rest.filter { candidate in
        !rest.contains { $0.table != candidate.table && $0.references.contains(candidate.table) }
      }
      guard !free.isEmpty else { throw DataMapError("tables refer to each other in a circle") }
      ordered += free
      rest.removeAll { candidate in free.contains { $0.table == candidate.table } }
    }
    let late = { (item: PersonalData) in item.references.isEmpty && !item.replaced.isEmpty }
    return ordered.filter { $0.erasure != .shred && !late($0) } + ordered.filter(late)
      + ordered.filter { $0.erasure == .shred }
  }
}

/// A declaration that cannot be carried out.
package struct DataMapError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
}

extension PersonalData {
  /// Whether the rows let somebody in: sessions, grants, codes, credentials.
  var grantsAccess: Bool {
    guard erasure == .delete, subject != nil else { return false }
    return columns.contains { column in
      column.isPersonal && (column.purpose == .authentication || column.purpose == .authorization)
    }
  }

  /// The columns a person gets to see, in the order of the declaration.
  var exported: [Column] {
    columns.filter { column in
      if case .withheld = column.export { false } else { true }
    }
  }

  var isExported: Bool { export != nil && subject != nil }

  func check() throws(DataMapError) {
    let names = columns.map(\.name)
    guard Set(names).count == names.count else {
      throw DataMapError("table \(table) declares a column twice")
    }
    let used =
      key + [subject].compactMap(\.self) + retention.flatMap(\.since) + replaced.map(\.column)
    for name in used where !names.contains(name) {
      throw DataMapError("table \(table) uses the undeclared column \(name)")
    }
    guard !key.isEmpty else { throw DataMapError("table \(table) has no key") }
    guard (subject == nil) == (erasure == .none) else {
      throw DataMapError("table \(table) needs a subject and an erasure, or neither")
    }
    for column in columns {
      guard case .sealed(let row) = column.storage, !names.contains(row) else { continue }
      throw DataMapError("table \(table) seals \(column.name) for the undeclared column \(row)")
    }
  }

  var replaced: [Replacement] {
    if case .anonymise(let replacements) = erasure { replacements } else { [] }
  }
}
