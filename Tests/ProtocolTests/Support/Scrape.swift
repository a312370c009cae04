import Foundation

/// The counts a process gives at one moment.
struct Scrape: Sendable {
  /// By the name of the series, with its labels.
  private let values: [String: Int]

  init(_ port: UInt16) async throws {
    let text = try await HTTP.get("http://127.0.0.1:\(port)/metrics").text
    var values: [String: Int] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " ") else { continue }
      values[String(line[..<space])] = Int(line[line.index(after: space)...])
    }
    self.values = values
  }

  /// Nil for a series that is not there.
  subscript(series: String) -> Int? { values[series] }

  /// By how much a series has grown; one that is not there yet has counted nothing.
  func rise(_ series: String, since before: Scrape) -> Int {
    values[series, default: 0] - before.values[series, default: 0]
  }
}
