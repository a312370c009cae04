import FoundationEssentials
import Platform
import Testing

@testable import Database

@Suite("SQL text")
struct SQLTests {
  private let schema = TenantSchema(
    id: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)))

  struct Example: Statement {
    let name: String
    let age: Int?
    static let sql: SQL<Self> = """
      select 1 from \(tenant).person where (\(\.age) is null or age = \(\.age)) and name = \(\.name)
      """
  }

  @Test("the tenant's schema is quoted, and a field bound twice is one parameter")
  func rendering() throws {
    #expect(
      try Example.sql.template.rendered(for: schema)
        == "select 1 from \"\(schema.name)\".person where ($1 is null or age = $1) and name = $2")
    #expect(Example.sql.template.types == [20, 25])
    #expect(Example.sql.template.needsTenant)
    #expect(throws: DatabaseError.self) { try Example.sql.template.rendered(for: nil) }
  }

  @Test("the values are written in the order of their parameters")
  func binding() {
    var writer = ParameterWriter()
    for statement in [Example(name: "Zoë", age: 7), Example(name: "", age: nil)] {
      writer.reset()
      for binder in Example.sql.binders {
        let offset = writer.begin()
        binder.write(statement, &writer)
        writer.end(offset)
      }
      let expected: [Int32] = statement.age == nil ? [-1, 0] : [8, 4]
      #expect(writer.values.map(\.length) == expected)
    }
  }

  @Test("a computed property can be bound as well")
  func computed() {
    struct Computed: Statement {
      let first: String
      var shout: String { first.uppercased() + "!" }
      static let sql: SQL<Self> = "select \(\.shout)"
    }
    var writer = ParameterWriter()
    Computed.sql.binders[0].write(Computed(first: "a"), &writer)
    #expect(writer.bytes == Array("A!".utf8))
  }

  @Test("composed fragments number their parameters in order")
  func composed() throws {
    let columns: [Identifier] = ["a", "b_2"]
    let conditions: [ComposedSQL] = ["x = \(bind: 1)", "y = \(bind: "s")", "z is null"]
    let sql: ComposedSQL =
      "select \(.list(columns)) from \(tenant).t where \(.joined(conditions, by: " and ")) limit \(bind: 5)"
    var writer = ParameterWriter()
    let template = sql.compiled(into: &writer)
    #expect(
      try template.rendered(for: schema) == """
        select "a", "b_2" from \(schema.quoted).t where x = $1 and y = $2 and z is null limit $3
        """)
    #expect(template.types == [20, 25, 20])
    #expect(writer.values.map(\.length) == [8, 1, 8])
  }

  @Test(
    "a tenant's schema has exactly one shape",
    arguments: [
      ("t_abcdefghijklmnopqrstuvwxyz", true), ("t_22222222222222222222222222", true),
      ("t_abcdefghijklmnopqrstuvwxy", false), ("t_abcdefghijklmnopqrstuvwxyzz", false),
      ("t_abcdefghijklmnopqrstuvwxy1", false), ("t_ABCDEFGHIJKLMNOPQRSTUVWXYZ", false),
      ("x_abcdefghijklmnopqrstuvwxyz", false), ("t_abcdefghijklmnopqrstuvwxy\"", false),
      ("public", false), ("", false),
    ])
  func tenantSchema(_ name: String, _ valid: Bool) {
    #expect((TenantSchema(name) != nil) == valid)
  }

  @Test("the schema of an id is stable and valid")
  func schemaOfID() {
    let id = UUID()
    #expect(TenantSchema(id: id) == TenantSchema(id: id))
    #expect(TenantSchema(TenantSchema(id: id).name) == TenantSchema(id: id))
  }

  @Test("a name that is not a plain lower-case name stops the program")
  func badIdentifier() async {
    await #expect(processExitsWith: .failure) { _ = Identifier(stringLiteral: "a\"; drop table x") }
    await #expect(processExitsWith: .failure) { _ = Identifier(stringLiteral: "Upper") }
    await #expect(processExitsWith: .failure) { _ = Identifier(stringLiteral: "1a") }
  }
}

@Suite("Binary values")
struct ValueTests {
  @Test("an array carries its dimensions, element type and null flag")
  func array() {
    var writer = ParameterWriter()
    writer.append(["a", nil] as [String?])
    #expect(
      writer.bytes == [
        0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 97, 255, 255, 255,
        255,
      ])
    writer.reset()
    writer.append([] as [Int])
    #expect(writer.bytes == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20])
  }

  @Test("bytes are bytea, not an array of numbers, and so are no bytes")
  func bytes() {
    var writer = ParameterWriter()
    writer.append([1, 2] as [UInt8])
    writer.append([] as [UInt8])
    #expect(writer.bytes == [1, 2])
    #expect([UInt8].sqlType == .bytea)
    #expect([UUID].sqlType == SQLType.uuid.array)
    #expect(throws: DatabaseError.self) {
      try [UInt8].decode([0, 1].span.bytes, as: .int2)
    }
  }

  @Test("an array of bytes is one of bytea, there and back")
  func arrayOfBytes() throws {
    #expect([[UInt8]?].sqlType == SQLType.bytea.array)
    var writer = ParameterWriter()
    writer.append([[7], nil, []] as [[UInt8]?])
    let wire: [UInt8] =
      [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 17, 0, 0, 0, 3, 0, 0, 0, 1]
      + [0, 0, 0, 1, 7, 255, 255, 255, 255, 0, 0, 0, 0]
    #expect(writer.bytes == wire)
    #expect(try [[UInt8]?].decode(wire.span.bytes, as: SQLType.bytea.array) == [[7], nil, []])
  }

  @Test("times count microseconds from the year 2000")
  func time() {
    var writer = ParameterWriter()
    writer.append(Date(timeIntervalSince1970: 946_684_800.000001))
    #expect(writer.bytes == [0, 0, 0, 0, 0, 0, 0, 1])
  }

  @Test(
    "numbers of another width are refused, not truncated",
    arguments: [
      (SQLType.int8, [UInt8](repeating: 1, count: 4)), (.text, [0, 0, 0, 1]), (.float8, [0]),
    ])
  func width(_ type: SQLType, _ bytes: [UInt8]) {
    #expect(throws: DatabaseError.self) { try Int.decode(bytes.span.bytes, as: type) }
  }

  @Test("an array that lies about its length is refused")
  func shortArray() {
    let lie: [UInt8] = [
      0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9, 97,
    ]
    #expect(throws: DatabaseError.self) { try [String].decode(lie.span.bytes, as: .text) }
  }
}
