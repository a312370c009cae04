import FoundationEssentials
import Testing

@testable import Database

@Suite("Migration scripts")
struct MigrationScriptTests {
  @Test("the tenant's place becomes its quoted schema, everywhere")
  func rendering() {
    let schema = TenantSchema(id: UUID())
    #expect(
      Migrator.render("a {tenant}.x references {tenant}.y", for: schema)
        == "a \(schema.quoted).x references \(schema.quoted).y")
  }

  @Test("the checksum follows the text (FNV-1a)")
  func checksum() {
    func checksum(_ up: String) -> String {
      Migration(version: 1, name: "x", up: up, down: "").checksum
    }
    // Vectors of the FNV reference.
    #expect(checksum("") == "cbf29ce484222325")
    #expect(checksum("a") == "af63dc4c8601ec8c")
    #expect(checksum("foobar") == "85944171f73967e8")
  }
}

@Suite("Errors")
struct DatabaseErrorTests {
  @Test("what may be tried again, and what is a matter of availability")
  func classes() {
    func error(_ state: SQLState) -> DatabaseError { DatabaseError(state, "message") }
    #expect(error(.serializationFailure).isRetryable)
    #expect(error(.deadlockDetected).isRetryable)
    #expect(!error(.uniqueViolation).isRetryable)
    #expect(!error(.commitOutcomeUnknown).isRetryable)
    #expect(error(.commitOutcomeUnknown).isUnavailable)
    #expect(error(.tooManyConnections).isUnavailable)
    #expect(error(.adminShutdown).isUnavailable)
    #expect(!error(.queryCanceled).isUnavailable)
    #expect(
      DatabaseError(.featureNotSupported, "cached plan must not change result type").isRetryable)
    #expect(!DatabaseError(.featureNotSupported, "something else").isRetryable)
  }
}
