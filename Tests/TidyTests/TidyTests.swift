import Foundation
import Testing

/// The mechanical part of the house style.
@Suite("House style")
struct TidyTests {
  /// Imports go one way (design section 1); what a module may import of ours.
  static let allowedImports: [String: Set<String>] = [
    "Platform": [],
    "Database": ["CPostgres", "Platform", "Migrations"],
    "Cryptography": ["COpenSSL", "CArgon2", "CScheduling", "Platform"],
    "Cache": ["CHiredis", "Platform"],
    "Archive": ["CZlib", "Cryptography", "Platform"],
    "JOSE": ["Cryptography", "Platform"],
    "Outgoing": ["JOSE", "Platform"],
    "Web": ["Platform", "Cryptography", "JOSE"],
    "Tenancy": ["Platform", "Database", "Cryptography", "JOSE", "Cache"],
    "Jobs": ["Platform", "Database"],
    "Compliance": [
      "Platform", "Database", "Cryptography", "JOSE", "Cache", "Archive", "Tenancy", "Jobs",
    ],
    "ControlPlane": [
      "Platform", "Database", "Migrations", "Cryptography", "JOSE", "Cache", "Outgoing", "Web",
      "Tenancy", "Jobs", "Compliance",
    ],
    "TenantRuntime": [
      "Platform", "Database", "Cryptography", "JOSE", "Cache", "Outgoing", "Archive", "Web",
      "Tenancy", "Jobs", "Compliance",
    ],
  ]
  static let ours = Set(allowedImports.keys)
    .union([
      "CPostgres", "COpenSSL", "CArgon2", "CScheduling", "CHiredis", "CZlib", "Migrations",
      "tenure",
    ])

  @Test("Imports go one way", arguments: SourceTree.sources)
  func imports(_ file: SourceFile) {
    guard let allowed = Self.allowedImports[file.module] else { return }
    let wrong = file.imports.map(String.init)
      .filter { Self.ours.contains($0) && !allowed.contains($0) }
    #expect(wrong.isEmpty, "\(file) imports \(wrong)")
  }

  /// Only Web, the endpoints, the assemblies and the executable know Hummingbird's types.
  @Test("Hummingbird stays at the edge", arguments: SourceTree.sources)
  func hummingbird(_ file: SourceFile) {
    guard file.imports.contains("Hummingbird"), !["Web", "tenure"].contains(file.module) else {
      return
    }
    let name = file.path.split(separator: "/").last ?? ""
    let edge =
      name.hasSuffix("Endpoint.swift") || name.hasSuffix("Endpoints.swift")
      || name.hasSuffix("Context.swift") || name.hasSuffix("Page.swift")
      || name.hasSuffix("Response.swift") || name == "\(file.module).swift"
    #expect(edge, "\(file) imports Hummingbird")
  }

  struct Ban: Sendable, CustomTestStringConvertible {
    let text: String
    /// Files that may, each with the reason beside it.
    let except: [String: String]
    var testDescription: String { text }
  }

  static let bans = [
    Ban(text: "Task {", except: [:]),
    Ban(text: "Task.detached", except: [:]),
    Ban(text: "try!", except: [:]),
    Ban(text: "as!", except: [:]),
    Ban(text: "fatalError(", except: [:]),
    Ban(text: "print(", except: [:]),
    Ban(
      text: "DispatchQueue",
      except: [
        "Sources/Platform/PatientExecutor.swift": "The executor of a lane needs its threads."
      ]),
    Ban(text: "NSLock", except: [:]),
  ]

  @Test("Banned constructs", arguments: bans)
  func banned(_ ban: Ban) {
    for file in SourceTree.sources where ban.except[file.path] == nil {
      for (number, line) in file.code where Self.contains(line, ban.text) {
        Issue.record("\(file):\(number): \(ban.text)")
      }
    }
  }

  /// Wrappers of C libraries may, with the invariant written above.
  @Test(
    "Unchecked concurrency stays in the wrappers",
    arguments: ["@unchecked Sendable", "nonisolated(unsafe)"])
  func unchecked(_ text: String) {
    let wrappers: Set = ["Database", "Cryptography", "Cache", "Archive"]
    for file in SourceTree.sources where !wrappers.contains(file.module) {
      for (number, line) in file.code where line.contains(text) {
        Issue.record("\(file):\(number): \(text)")
      }
    }
  }

  /// SQL is written in statements, beside the feature (style: one statement, one struct).
  @Test("SQL stays in statements")
  func sql() {
    let verbs = ["\"select ", "\"insert into ", "\"update ", "\"delete from "]
    let owners: Set = ["Database", "tenure"]
    for file in SourceTree.sources
    where !owners.contains(file.module) && !file.path.hasSuffix("Statements.swift") {
      for (number, line) in file.code {
        for verb in verbs where line.contains(verb) {
          Issue.record("\(file):\(number): SQL outside *Statements.swift")
        }
      }
    }
  }

  @Test("Every statement is in its module's list")
  func statementsListed() throws {
    for (type, file) in Self.conformances(to: "Statement") where file.module != "Database" {
      let listed = SourceTree.sources.contains { other in
        other.module == file.module
          && other.code.contains { Self.contains($0.text, "\(type).self") }
      }
      #expect(listed, "\(type) of \(file) is not listed, so no test prepares it")
    }
  }

  @Test(
    "No file is longer than 400 lines of code", arguments: SourceTree.sources + SourceTree.tests)
  func fileLength(_ file: SourceFile) {
    #expect(file.code.count <= 400, "\(file) has \(file.code.count) lines of code")
  }

  @Test("Every module has its page", arguments: Array(allowedImports.keys))
  func modulePage(_ module: String) throws {
    let page = try SourceTree.text("Sources/\(module)/\(module).docc/\(module).md")
    #expect(page.count > 200)
  }

  @Test("Every endpoint says which section it serves")
  func endpointsCite() {
    let citations = ["RFC", "OpenID", "section", "GDPR", "our policy", "design"]
    for (type, file) in Self.conformances(to: "Endpoint") where file.module != "Web" {
      guard let line = file.lines.firstIndex(where: { $0.contains("struct \(type)") }) else {
        continue
      }
      let comment = file.lines[..<line].reversed().prefix { $0.hasPrefix("///") }.joined()
      #expect(citations.contains { comment.contains($0) }, "\(file): \(type)")
    }
  }

  @Test("Every migration has its way back")
  func migrations() throws {
    for plane in ["control", "tenant"] {
      let folder = SourceTree.root.appendingPathComponent("migrations/\(plane)").path
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasSuffix(".sql") }
      let ups = names.filter { $0.hasSuffix(".up.sql") }.map { $0.dropLast(7) }
      let downs = names.filter { $0.hasSuffix(".down.sql") }.map { $0.dropLast(9) }
      #expect(Set(ups) == Set(downs))
      #expect(ups.map { Int($0.prefix(4)) ?? 0 }.sorted() == Array(1...ups.count))
    }
  }

  /// Whether a line has the text where no identifier runs into it.
  private static func contains(_ line: Substring, _ text: String) -> Bool {
    guard let range = line.range(of: text) else { return false }
    guard range.lowerBound > line.startIndex else { return true }
    let before = line[line.index(before: range.lowerBound)]
    return !(before.isLetter || before.isNumber || before == "_" || before == ".")
  }

  private static func conformances(to name: String) -> [(type: String, file: SourceFile)] {
    let pattern = /struct (\w+)(?:<[^>]*>)?\s*:\s*([\w, <>&.]+)/
    return SourceTree.sources.flatMap { file in
      file.code.compactMap { _, line in
        guard let match = line.firstMatch(of: pattern) else { return nil }
        let list = match.2.split(separator: ",").map {
          $0.trimmingCharacters(in: .whitespaces).prefix { $0.isLetter }
        }
        return list.contains { $0 == name } ? (String(match.1), file) : nil
      }
    }
  }
}
