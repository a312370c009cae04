import Database
import TenantRuntime
import TestSupport
import Testing

@Suite("Statements of TenantRuntime")
struct TenantRuntimeStatementTests {
  @Test func everyOnePrepares() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    for type in TenantRuntime.statements {
      await #expect(throws: Never.self, "\(type)") {
        try await describe(type, test.database, tenant.schema)
      }
    }
  }

  private func describe<S: Statement>(
    _ type: S.Type, _ database: Database, _ schema: TenantSchema
  ) async throws {
    _ = try await database.describe(type, in: schema)
  }
}
