import Database
import Platform
import Tenancy
import Testing

@testable import Compliance

@Suite("Design section 7: the data map")
struct DataMapTests {
  static let account = PersonalData(
    table: "account", key: ["id"], subject: "id", erasure: .shred, export: "account",
    columns: [
      .init("id", .uniqueID, source: .derived, purpose: .account, basis: .contract),
      .withheld("secret", reason: .security),
    ])

  static func child(
    _ table: Identifier, of parents: [Identifier], erasure: PersonalData.Erasure = .delete,
    retention: [PersonalData.RetentionTarget] = []
  ) -> PersonalData {
    PersonalData(
      table: table, key: ["id"], subject: "owner", references: parents, erasure: erasure,
      retention: retention, export: "rest",
      columns: [
        .init("owner", .uniqueID, source: .derived, purpose: .authentication, basis: .contract),
        .technical("id", "made_at"),
      ])
  }

  @Test("referring rows go first, the trail waits for all deletions, the key goes last")
  func order() throws {
    let map = try DataMap([
      Self.account, Self.child("trail", of: [], erasure: .anonymise([.init("owner", .null)])),
      Self.child("session", of: ["account"]), Self.child("grant_of", of: ["session", "account"]),
      Self.child("consent", of: ["account"], erasure: .anonymise([.init("owner", .null)])),
    ])
    let order = map.erasureOrder.map(\.table.name)
    #expect(order == ["grant_of", "consent", "session", "trail", "account"])
    #expect(map.access.map(\.table.name) == ["grant_of", "session"])
    #expect(map.exportFiles.map(\.name) == ["account", "rest"])
    #expect(map.exportFiles[1].tables.count == 4)
  }

  struct Wrong: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let declarations: [PersonalData]
  }

  @Test(
    "contradictions are refused",
    arguments: [
      Wrong(
        testDescription: "a table twice",
        declarations: [DataMapTests.account, DataMapTests.account]
      ),
      Wrong(
        testDescription: "a circle",
        declarations: [
          DataMapTests.child("a", of: ["b"]), DataMapTests.child("b", of: ["a"]),
        ]),
      Wrong(
        testDescription: "an undeclared column to anonymise",
        declarations: [
          DataMapTests.child("a", of: [], erasure: .anonymise([.init("nobody", .null)]))
        ]),
      Wrong(
        testDescription: "an undeclared time",
        declarations: [
          DataMapTests.child("a", of: [], retention: [.init("a.old", since: ["lost_at"], days: 1)])
        ]),
      Wrong(
        testDescription: "a target twice",
        declarations: [
          DataMapTests.child("a", of: [], retention: [.init("old", since: ["made_at"], days: 1)]),
          DataMapTests.child("b", of: [], retention: [.init("old", since: ["made_at"], days: 1)]),
        ]),
      Wrong(
        testDescription: "a subject without an erasure",
        declarations: [DataMapTests.child("a", of: [], erasure: .none)]),
    ])
  func refuses(_ wrong: Wrong) {
    #expect(throws: DataMapError.self) { try DataMap(wrong.declarations) }
  }

  @Test("the Fides dataset names every column and its categories")
  func fides() throws {
    let map = try DataMap([Self.account])
    #expect(
      map.fidesDataset(key: "one", name: "A \"name\"") == """
        dataset:
          - fides_key: one
            name: "A \\"name\\""
            description: "The tables of one organization."
            data_categories: []
            collections:
              - name: account
                description: "Deleted with its key when the person is erased."
                fields:
                  - name: id
                    data_categories:
                      - user.unique_id
                    fides_meta:
                      primary_key: true
                  - name: secret
                    data_categories:
                      - system.operations

        """)
  }

  @Test("the record groups by purpose and legal basis")
  func record() throws {
    let record = ProcessingRecord(
      map: try DataMap([Self.account, Self.child("a", of: ["account"])]))
    #expect(record.activities.map(\.purpose) == [.account, .authentication])
    #expect(record.activities.map(\.tables) == [["account"], ["a"]])
    #expect(record.markdown().contains("## Keeping your account"))
    #expect(record.record()["activities"]?.arrayValue?.count == 2)
  }
}
