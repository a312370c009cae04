import Database
import Tenancy
import TestSupport
import Testing

@Suite("Statements of Tenancy")
struct TenancyStatementTests {
  @Test func everyOnePrepares() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    for type in Tenancy.statements {
      await #expect(throws: Never.self, "\(type)") {
        try await describe(type, test.database, tenant.schema)
      }
    }
  }

  private func describe<S: Statement>(
    _ type: S.Type, _ database: Database, _ schema: TenantSchema
  ) async throws {
    // Statements on the control schema run under the platform's role.
    let isPlatform = "\(type)".hasPrefix("FindTenant")
    _ = try await database.describe(type, in: isPlatform ? nil : schema)
  }
}
