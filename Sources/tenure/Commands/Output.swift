import Glibc
import Platform

/// The one way to the terminal.
enum Output {
  /// Writes a line to standard output, unless its reader has gone away, as `head` does.
  ///
  /// Our own `write(2)`, because Foundation's traps then.
  static func line(_ text: String = "") {
    var rest = Array("\(text)\n".utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      guard written > 0 || errno == EINTR else { return }
      rest = rest.dropFirst(max(0, written))
    }
  }

  /// Rows under their headings, each column as wide as its widest cell.
  static func table(_ headings: [String], _ rows: [[String]]) {
    let widths = headings.indices.map { column in
      ([headings] + rows).map { $0[column].count }.max() ?? 0
    }
    for row in [headings.map { $0.uppercased() }] + rows {
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      line(cells.joined(separator: "  ").replacing(#/\s+$/#, with: ""))
    }
  }

  /// One document: its JSON for a script, else one member a line.
  static func document(_ document: JSON, json: Bool) {
    if json { return line(document.text) }
    for (name, value) in document.objectValue ?? [:] {
      let rows = value.arrayValue?.compactMap(\.objectValue) ?? []
      guard let columns = rows.first?.names, rows.allSatisfy({ $0.names == columns }) else {
        line("\(name): \(cell(value))")
        continue
      }
      line("\(name):")
      table(columns, rows.map { row in columns.map { cell(row[$0] ?? .null) } })
    }
  }

  /// A list of documents: its JSON for a script, else a table of some members.
  static func list(_ documents: [JSON], columns: [String], json: Bool) {
    if json { return line(JSON.array(documents).text) }
    table(columns, documents.map { document in columns.map { cell(document[$0] ?? .null) } })
  }

  static func cell(_ value: JSON) -> String {
    switch value {
    case .null: "-"
    case .string(let text): text
    default: value.text
    }
  }
}
