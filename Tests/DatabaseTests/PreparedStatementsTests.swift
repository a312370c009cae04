import FoundationEssentials
import Testing

@testable import Database

@Suite("Which statements are prepared")
struct PreparedStatementsTests {
  private let schemas = (0..<6).map { _ in TenantSchema(id: UUID()) }

  private func key(_ number: Int) -> StatementKey {
    StatementKey(type: ObjectIdentifier(Self.self), schema: schemas[number])
  }

  private func plan(
    _ number: Int, _ statements: inout PreparedStatements, mayPrepare: Bool = true
  ) -> String {
    switch statements.plan(for: key(number), label: Self.self, mayPrepare: mayPrepare) {
    case .execute: "execute"
    case .parse: "parse"
    case .prepare(_, nil): "prepare"
    case .prepare(_, .some): "replace"
    }
  }

  @Test(
    "first prepared, then executed; at the limit one that was not used lately makes room"
  )
  func lifecycle() {
    var statements = PreparedStatements(capacity: 2)
    #expect((0..<3).map { _ in plan(0, &statements) } == ["prepare", "execute", "execute"])
    #expect(plan(1, &statements) == "prepare")
    // Number 1 was not used since.
    #expect(plan(2, &statements) == "replace")
    #expect(plan(0, &statements) == "execute")
    #expect(plan(2, &statements) == "execute")
    #expect(plan(1, &statements) != "execute")
  }

  @Test(
    "however many there are, there are never more than the limit, and each is known once it is prepared"
  )
  func bounded() {
    var statements = PreparedStatements(capacity: 3)
    var known: Set<String> = []
    for round in 0..<200 {
      switch statements.plan(for: key(round * round % 6), label: Self.self, mayPrepare: true) {
      case .execute(let name): #expect(known.contains(name.text))
      case .parse: break
      case .prepare(let name, let evicted):
        if let evicted { #expect(known.remove(evicted.text) != nil) }
        #expect(known.insert(name.text).inserted)
      }
      #expect(known.count <= 3)
    }
    #expect(known.count == 3)
  }

  @Test("what the server did not parse, or no longer knows, is prepared again")
  func forgetting() {
    var statements = PreparedStatements(capacity: 2)
    _ = (0..<2).map { _ in plan(0, &statements) }
    statements.remove(key(0))
    #expect(plan(0, &statements) == "prepare")
    statements.forget()
    #expect(plan(0, &statements) == "prepare")
  }

  @Test("with no room nothing is prepared")
  func off() {
    var statements = PreparedStatements(capacity: 0)
    #expect((0..<4).map { _ in plan(0, &statements) } == Array(repeating: "parse", count: 4))
  }

  @Test("where it is not to be prepared it is parsed, and nothing is remembered of it")
  func unprepared() {
    var statements = PreparedStatements(capacity: 2)
    let plans = (0..<3).map { _ in plan(0, &statements, mayPrepare: false) }
    #expect(plans == ["parse", "parse", "parse"])
    #expect(plan(0, &statements) == "prepare")
    #expect(plan(0, &statements, mayPrepare: false) == "execute")
  }

  @Test("names begin with a number, so that cutting them cannot make two equal")
  func names() {
    let long = StatementName(label: PreparedStatementsTests.self, number: 12)
    #expect(long.text == "s12.PreparedStatementsTests")
    #expect(long.characters.last == 0)
    #expect(long.text.utf8.count <= 63)
  }
}
