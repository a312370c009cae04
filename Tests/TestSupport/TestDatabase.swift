package import Database
package import FoundationEssentials
package import Logging
import Migrations
package import Platform

/// A database of this test process: migrated, empty, and dropped at exit.
package struct TestDatabase: Sendable {
  package let database: Database
  package let url: Secret<String>
  package let name: String
  package let migrator: Migrator
  package let logger: Logger

  /// The one all tests share; they keep apart by each taking a fresh tenant.
  package static func shared() async throws -> TestDatabase { try await holder.value() }

  /// One of its own, for a test of something that all tenants share.
  package static func fresh(migrated: Bool) async throws -> TestDatabase {
    let server = try TestServices.databaseURL()
    TestDatabaseCleanUp.once(server)
    let name = TestDatabaseCleanUp.newName()
    try BlockingConnection(server).execute("create database \(name)")
    TestDatabaseCleanUp.dropAtExit(name, on: server)
    let test = try TestDatabase(server: server, name: name)
    if migrated { try await test.migrator.migrateControl() }
    return test
  }

  /// The defaults, with patience: all tests run at once, and share the connections and the machine.
  private static var settings: DatabaseSettings {
    var read = SettingsReader.documentation
    var settings = DatabaseSettings(&read)
    settings.waitSeconds = 120
    return settings
  }

  private static let holder = SharedTestDatabase()

  private init(server: Secret<String>, name: String) throws {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    self.name = name
    self.logger = logger
    url = try server.naming(database: name)
    database = Database(url: url, settings: Self.settings, logger: logger)
    migrator = Migrator(
      database: database, control: Migrations.control, tenant: Migrations.tenant, clock: .system,
      logger: logger)
  }

  /// Another service on the same database, as a second process would have it.
  package func another(_ adjust: (inout DatabaseSettings) -> Void) -> Database {
    var settings = Self.settings
    adjust(&settings)
    return Database(url: url, settings: settings, logger: logger)
  }

  /// A new tenant by the migration scripts: schema, role and an organization row, and nothing in them.
  package func freshTenant() async throws -> TestTenant {
    let organization = UUID()
    let schema = TenantSchema(id: organization)
    try await database.transaction { tx in
      try await tx.script(migrator.provisioningScript(for: schema))
      try await tx.run(
        InsertTestOrganization(
          id: organization, slug: "test-\(schema.name.dropFirst(2))", schema: schema.name,
          version: migrator.tenantVersion, now: Date()))
    }
    return TestTenant(schema: schema, organization: organization)
  }
}

/// A tenant for one test.
package struct TestTenant: Sendable {
  package let schema: TenantSchema
  package let organization: UUID
}

struct InsertTestOrganization: Statement {
  let id: UUID
  let slug: String
  let schema: String
  let version: Int
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.organization
      (id, slug, name, status, schema_name, schema_version, epoch, settings, created_at, updated_at)
    values (\(\.id), \(\.slug), \(\.slug), 'active', \(\.schema), \(\.version), 1, '{}', \(\.now), \(\.now))
    """
}

/// Makes the shared database once, however many tests ask for it at the same time.
///
/// Across the `await`, `waiting` collects those who came while the first one was making it.
private actor SharedTestDatabase {
  private enum State {
    case untouched, making([CheckedContinuation<TestDatabase, any Error>]), done(
      Result<TestDatabase, any Error>)
  }
  private var state = State.untouched

  func value() async throws -> TestDatabase {
    switch state {
    case .done(let result):
      return try result.get()
    case .making:
      return try await withCheckedThrowingContinuation { continuation in
        if case .making(let waiting) = state { state = .making(waiting + [continuation]) }
      }
    case .untouched:
      state = .making([])
      var result: Result<TestDatabase, any Error>
      do { result = .success(try await TestDatabase.fresh(migrated: true)) } catch {
        result = .failure(error)
      }
      if case .making(let waiting) = state {
        for continuation in waiting { continuation.resume(with: result) }
      }
      state = .done(result)
      return try result.get()
    }
  }
}

extension Secret<String> {
  /// The same server, another database.
  package func naming(database name: String) throws -> Secret<String> {
    guard var parts = URLComponents(string: reveal()) else {
      throw MissingTestService(description: "TENURE_TEST_DATABASE_URL is not a URL.")
    }
    parts.path = "/" + name
    return Secret(parts.string ?? "")
  }
}
