import Compliance
import Database
import TestSupport
import Testing

@Suite("Statements of Compliance")
struct ComplianceStatementTests {
  @Test func everyOnePrepares() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    for type in Compliance.statements {
      await #expect(throws: Never.self, "\(type)") {
        try await describe(type, test.database, tenant.schema)
      }
    }
  }

  private func describe<S: Statement>(
    _ type: S.Type, _ database: Database, _ schema: TenantSchema
  ) async throws {
    // The ledger is in the control schema.
    let isPlatform = ["InsertErasureIntent", "CompleteErasure"].contains("\(type)")
    _ = try await database.describe(type, in: isPlatform ? nil : schema)
  }
}
