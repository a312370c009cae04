import ControlPlane
import Database
import TestSupport
import Testing

@Suite("Statements of ControlPlane")
struct ControlPlaneStatementTests {
  /// Those that work inside a tenant; the others are the platform's.
  private static let ofTenants: Set = [
    "CheckTokenUsable", "FindClientByName", "CurrentPurposeTexts", "LockPurposes", "FindPurposeID",
  ]

  @Test func everyOnePrepares() async throws {
    let test = try await TestDatabase.shared()
    let tenant = try await test.freshTenant()
    for type in ControlPlane.statements {
      await #expect(throws: Never.self, "\(type)") {
        try await describe(type, test.database, tenant.schema)
      }
    }
  }

  private func describe<S: Statement>(
    _ type: S.Type, _ database: Database, _ schema: TenantSchema
  ) async throws {
    _ = try await database.describe(type, in: Self.ofTenants.contains("\(type)") ? schema : nil)
  }
}
