import Foundation

/// One Swift file of the project, as text.
struct SourceFile: Sendable, CustomStringConvertible {
  /// Below the project's folder: `Sources/Web/Form.swift`.
  let path: String
  let lines: [Substring]

  var description: String { path }
  /// `Web` for `Sources/Web/Form.swift`.
  var module: String { String(path.split(separator: "/")[1]) }

  /// The lines that are neither empty nor comments, with their numbers.
  var code: [(number: Int, text: Substring)] {
    lines.enumerated().compactMap { index, line in
      let text = line.drop(while: \.isWhitespace)
      return text.isEmpty || text.hasPrefix("//") ? nil : (index + 1, line)
    }
  }

  /// The modules it imports, without access levels and attributes.
  var imports: [Substring] {
    lines.compactMap { line in
      let words = line.split(separator: " ").drop { $0 == "package" || $0.hasPrefix("@") }
      return words.first == "import" ? words.dropFirst().last : nil
    }
  }
}

/// The project's own sources.
enum SourceTree {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static let sources = files(below: "Sources")
  static let tests = files(below: "Tests")

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  private static func files(below folder: String) -> [SourceFile] {
    let paths = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
    return (paths?.allObjects as? [String] ?? [])
      .filter { $0.hasSuffix(".swift") }
      .sorted()
      .compactMap { path in
        guard let text = try? text("\(folder)/\(path)") else { return nil }
        return SourceFile(
          path: "\(folder)/\(path)",
          lines: text.split(separator: "\n", omittingEmptySubsequences: false))
      }
  }
}
