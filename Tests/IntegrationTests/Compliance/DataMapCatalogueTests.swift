import Database
import Tenancy
import TestSupport
import Testing

@testable import Compliance

@Suite("Design section 7: every column is declared")
struct DataMapCatalogueTests {
  private func declared() -> Set<String> {
    Set(
      ComplianceHarness.declarations.flatMap { declaration in
        declaration.columns.map { "\(declaration.table).\($0.name)" }
      })
  }

  @Test("the columns of a fresh tenant and the declarations are the same")
  func columns() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    let real = Set(try await test.database.all(ListSampleColumns(schema: tenant.schema.name)))
    #expect(real.subtracting(declared()).sorted() == [], "not declared")
    #expect(declared().subtracting(real).sorted() == [], "declared, but not there")
  }

  @Test("a new column without a declaration is found")
  func undeclared() async throws {
    let test = try await TestDatabase.fresh(migrated: true)
    let tenant = try await test.freshTenant()
    try await test.database.script(
      "alter table \(tenant.schema.quoted).session add column shoe_size integer")
    let real = Set(try await test.database.all(ListSampleColumns(schema: tenant.schema.name)))
    #expect(real.subtracting(declared()) == ["session.shoe_size"])
  }

  @Test("keys and references are those of the schema")
  func keys() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    let map = try DataMap(ComplianceHarness.declarations)
    for key in try await test.database.all(ListSampleKeys(schema: tenant.schema.name)) {
      let declaration = try #require(map.declarations.first { $0.table.name == key.table })
      if key.kind == "p" {
        #expect(declaration.key.map(\.name) == key.columns, "\(key.table)")
      } else {
        #expect(
          declaration.references.map(\.name).contains(key.parent),
          "\(key.table) refers to \(key.parent)")
      }
    }
  }
}
