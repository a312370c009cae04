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
      numbers: [1, 2, 3], nullable: ["x", nil], missing: nil, empty: [], noBytes: [], noText: "")
    let tenant = try await test.freshTenant()
    for _ in 0..<3 {
      // The platform's is prepared, then executed; the tenant's is parsed unnamed each time.
      let rows = [
        try await test.database.first(sent), try await test.database.first(sent, in: tenant.schema),
      ]
      #expect(rows == [sent, sent])
    }
  }

  @Test("the ends of time are infinity")
  func infinity() async throws {
    let test = try await TestDatabase.shared()
    #expect(try await test.database.first(EchoTime(value: .distantFuture)) == .distantFuture)
    #expect(try await test.database.first(EchoTime(value: .distantPast)) == .distantPast)
    let early = Date(timeIntervalSince1970: -2_000_000_000.5)
    #expect(try await test.database.first(EchoTime(value: early)) == early)
  }

  @Test("a value of a hundred million bits passes both ways")
  func largeValue() async throws {
    let test = try await TestDatabase.shared()
    let value = (0..<12_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let row = try await test.database.first(EchoBytes(value: value))
    #expect(row == value)
  }

  @Test("many rows arrive in order")
  func manyRows() async throws {
    let test = try await TestDatabase.shared()
    let rows = try await test.database.all(Series(count: 200_000))
    #expect(rows == Array(1...200_000))
  }

  @Test("no row is nil, and affected rows are counted")
  func counts() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    #expect(try await test.database.first(PurposeNames(), in: tenant.schema) == nil)
    #expect(try await test.database.run(InsertPurpose(id: "a"), in: tenant.schema) == 1)
    #expect(try await test.database.run(InsertPurpose(id: "b"), in: tenant.schema) == 1)
    #expect(try await test.database.first(PurposeNames(), in: tenant.schema) == "a")
    #expect(try await test.database.all(PurposeNames(), in: tenant.schema) == ["a", "b"])
  }

  @Test("a row that is not what the type expects is refused", arguments: [0, 1, 2, 3])
  func decoding(_ number: Int) async throws {
    let test = try await TestDatabase.shared()
    let state = try await sqlState {
      switch number {
      case 0: _ = try await test.database.first(ReadsTooLittle())
      case 1: _ = try await test.database.first(ReadsTooMuch())
      case 2: _ = try await test.database.first(ReadsNull())
      default: _ = try await test.database.first(ReadsWrongType())
      }
    }
    #expect(state == .decoding)
    #expect(try await test.database.first(Echo(value: 5)) == 5)
  }

  @Test("an error names the state, the constraint and the statement, and never the value")
  func errors() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    try await test.database.run(InsertPurpose(id: "secret-value"), in: schema)
    let error = try await #require(throws: DatabaseError.self) {
      try await test.database.run(InsertPurpose(id: "secret-value"), in: schema)
    }
    #expect(error.sqlState == .uniqueViolation)
    #expect(error.constraint == "consent_purpose_pkey")
    #expect(error.statement == "InsertPurpose")
    #expect("\(error)" == "database error")
    #expect(!String(reflecting: error).contains("secret-value"))

    let cast = try await #require(throws: DatabaseError.self) {
      try await test.database.first(CastToNumber(value: "secret-value"))
    }
    #expect(!String(reflecting: cast).contains("secret-value"))
    let check = try await sqlState {
      try await test.database.run(InsertPurpose(id: "x", status: "no such status"), in: schema)
    }
    #expect(check == .checkViolation)
  }

  @Test("composed SQL binds its values and quotes its names")
  func composed() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    for id in ["a", "b", "c'; drop table x; --"] {
      try await test.database.run(InsertPurpose(id: id), in: schema)
    }
    let table: Identifier = "consent_purpose"
    let columns: [Identifier] = ["id", "status"]
    let filter: ComposedSQL = "\(columns[0]) > \(bind: "a") and \(columns[1]) = \(bind: "active")"
    let rows = try await test.database.all(
      "select \(.list(columns)) from \(tenant).\(table) where \(filter) order by 1", in: schema
    ) { row in
      try row.next(String.self) + "/" + row.next(String.self)
    }
    #expect(rows == ["b/active", "c'; drop table x; --/active"])
    let removed = try await test.database.run(
      "delete from \(tenant).\(table) where id = any(\(bind: ["a", "b"]))", in: schema)
    #expect(removed == 2)
  }

  @Test("a statement can be described without running it")
  func description() async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    let description = try await test.database.describe(PurposeNames.self, in: schema)
    #expect(description.columns.map(\.name) == ["id"])
    #expect(description.columns.map(\.type) == [.text])
    #expect(description.parameters.isEmpty)
    let insert = try await test.database.describe(InsertPurpose.self, in: schema)
    #expect(insert.parameters == [.text, .text, .timestamptz])
  }

  @Test("every statement of Database prepares", arguments: Database.statements.indices)
  func prepares(_ index: Int) async throws {
    let test = try await TestDatabase.shared()
    _ = try await test.database.describe(Database.statements[index], in: nil)
  }

  @Test("a statement with a tenant marker needs a tenant, and the connection survives")
  func missingTenant() async throws {
    let test = try await TestDatabase.shared()
    let state = try await sqlState { _ = try await test.database.first(PurposeNames()) }
    #expect(state == .undefinedSchema)
    #expect(try await test.database.first(Echo(value: 1)) == 1)
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
  let nullable: [String?]
  let missing: String?
  let empty: [UUID]
  let noBytes: [UInt8]
  let noText: String

  static let sql: SQL<Self> = """
    select \(\.text), \(\.int), \(\.small), \(\.flag), \(\.double), \(\.time), \(\.uuid), \(\.bytes),
           \(\.json), \(\.texts), \(\.numbers), \(\.nullable), \(\.missing), \(\.empty), \(\.noBytes), \(\.noText)
    """

  static func decode(_ row: inout RowReader) throws -> EveryType {
    EveryType(
      text: try row.next(), int: try row.next(), small: try row.next(), flag: try row.next(),
      double: try row.next(), time: try row.next(), uuid: try row.next(), bytes: try row.next(),
      json: try row.next(), texts: try row.next(), numbers: try row.next(),
      nullable: try row.next(),
      missing: try row.next(), empty: try row.next(), noBytes: try row.next(),
      noText: try row.next())
  }
}

private struct EchoTime: Statement {
  let value: Date
  static let sql: SQL<Self> = "select \(\.value)"
  static func decode(_ row: inout RowReader) throws -> Date { try row.next() }
}

private struct EchoBytes: Statement {
  let value: [UInt8]
  static let sql: SQL<Self> = "select \(\.value)"
  static func decode(_ row: inout RowReader) throws -> [UInt8] { try row.next() }
}

private struct Series: Statement {
  let count: Int32
  static let sql: SQL<Self> = "select generate_series(1, \(\.count))"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

private struct CastToNumber: Statement {
  let value: String
  static let sql: SQL<Self> = "select \(\.value)::integer"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

private struct ReadsTooLittle: Statement {
  static let sql: SQL<Self> = "select 1, 2"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

private struct ReadsTooMuch: Statement {
  static let sql: SQL<Self> = "select 1"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next(Int.self) + row.next() }
}

private struct ReadsNull: Statement {
  static let sql: SQL<Self> = "select null::bigint"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

private struct ReadsWrongType: Statement {
  static let sql: SQL<Self> = "select 'x'::text"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}
