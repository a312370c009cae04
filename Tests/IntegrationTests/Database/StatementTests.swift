import Database
import FoundationEssentials
import Platform
import TestSupport
import Testing

@Suite("Statements")
struct StatementTests {
  @Test("every type goes into the database and comes back")
  func roundTrip() async throws {
    let test = try await TestDatabase.shared()
    let now = Date(timeIntervalSince1970: 1_795_000_000.123456)
    let sent = EveryType(
      text: "naïve ☃", int: -42, small: 7, flag: true, double: 1.5, time: now, uuid: UUID(),
      bytes: [0, 255, 7], json: ["a": [1, 2.5, .null, "x"]], texts: ["a", "", "ü"],
      numbers: [1, 2, 3],
      missing: nil, empty: [])
    let row = try await test.database.first(sent)
    #expect(row == sent)
  }
}

struct EveryType: Statement, Equatable {
  let text: String
  let int: Int
  let small: Int32
  let flag: Bool
  let double: Double
  let time: Date
  let uuid: UUID
  let bytes: [UInt8]
  let json: JSON
  let texts: [String]
  let numbers: [Int]
  let missing: String?
  let empty: [UUID]

  static let sql: SQL<Self> = """
    select \(\.text), \(\.int), \(\.small), \(\.flag), \(\.double), \(\.time), \(\.uuid), \(\.bytes),
           \(\.json), \(\.texts), \(\.numbers), \(\.missing), \(\.empty)
    """

  static func decode(_ row: inout RowReader) throws -> EveryType {
    EveryType(
      text: try row.next(), int: try row.next(), small: try row.next(), flag: try row.next(),
      double: try row.next(), time: try row.next(), uuid: try row.next(), bytes: try row.next(),
      json: try row.next(), texts: try row.next(), numbers: try row.next(), missing: try row.next(),
      empty: try row.next())
  }
}
