package import FoundationEssentials
package import Logging
package import Platform

/// Moves the control schema and the tenants' schemas to a version, each step in a transaction of its own.
package struct Migrator: Sendable {
  private let database: Database
  private let control: [Migration]
  private let tenant: [Migration]
  /// The tables of a new tenant, with the schema's name missing between the pieces.
  private let tenantTables: [Substring]
  private let clock: WallClock
  private let logger: Logger

  /// "tenure" as a number; whoever migrates holds this advisory lock.
  private static let lockKey = 0x7465_6e75_7265
  private static let lockTimeoutMilliseconds = 3_000
  /// Requests of the tenant stand in line behind a migration that waits for its lock.
  private static let tenantLockTimeoutMilliseconds = 500
  private static let attemptsMax = 5

  package init(
    database: Database, control: [Migration], tenant: [Migration], clock: WallClock, logger: Logger
  ) {
    self.database = database
    self.control = control
    self.tenant = tenant
    tenantTables = Self.pieces(tenant.map(\.up).joined(separator: "\n"))
    self.clock = clock
    self.logger = logger
  }

  // MARK: The control schema

  /// What is not applied yet; refuses a database whose history is another one.
  package func pendingControl() async throws -> [Migration] {
    let applied = try await appliedControl()
    for row in applied {
      guard let migration = control.first(where: { $0.version == row.version }) else {
        // A newer release was here; releases tolerate the next version's schema.
        logger.warning(
          "the database is newer than this release", metadata: ["version": "\(row.version)"])
        continue
      }
      guard migration.checksum == row.checksum else {
        throw DatabaseError(
          .migrationMismatch, "control migration \(row.version) was applied with another text")
      }
    }
    let versions = Set(applied.map(\.version))
    return control.filter { !versions.contains($0.version) }
  }

  /// Applies what is pending and returns it.
  @discardableResult
  package func migrateControl() async throws -> [Migration] {
    let pending = try await pendingControl()
    for migration in pending {
      try await step { tx in
        guard try await isPending(migration, tx) else { return }
        try await tx.script(migration.up)
        try await tx.script(Self.historyTable)
        try await tx.run(
          RecordMigration(
            version: migration.version, name: migration.name, checksum: migration.checksum,
            now: clock.now()))
      }
      logger.info("migrated", metadata: ["schema": "control", "version": "\(migration.version)"])
    }
    return pending
  }

  /// Takes back everything above `version`, the newest first.
  package func revertControl(to version: Int) async throws {
    for row in try await appliedControl().reversed() where row.version > version {
      guard let migration = control.first(where: { $0.version == row.version }) else {
        throw DatabaseError(
          .migrationMismatch, "this release cannot take back migration \(row.version)")
      }
      try await step { tx in
        // The history lies in the schema that the first migration made.
        if row.version == control.first?.version {
          try await tx.script("drop table control.schema_migration")
        } else {
          try await tx.run(ForgetMigration(version: row.version))
        }
        try await tx.script(migration.down)
      }
      logger.info("migrated back", metadata: ["schema": "control", "version": "\(row.version)"])
    }
  }

  private func appliedControl() async throws -> [AppliedMigrations.Row] {
    do {
      return try await database.all(AppliedMigrations())
    } catch let error as DatabaseError
      where error.sqlState == .undefinedTable || error.sqlState == .undefinedSchema
    {
      return []
    }
  }

  /// Another process may have been faster while we waited for the lock.
  private func isPending(_ migration: Migration, _ tx: Transaction) async throws -> Bool {
    guard try await tx.first(HistoryExists()) != nil else { return true }
    return try await !tx.all(AppliedMigrations()).contains { $0.version == migration.version }
  }

  // MARK: A tenant's schema

  /// The version a new tenant starts with.
  package var tenantVersion: Int { tenant.last?.version ?? 0 }

  /// Whether tenants have roles of their own.
  package var hasRoles: Bool { database.settings.isolation == .role }

  /// Everything a new tenant needs in the database: role, schema, rights and tables, as one script.
  package func provisioningScript(for schema: TenantSchema) -> String {
    "\(emptySchemaScript(for: schema))\n\(tablesScript(for: schema))"
  }

  /// All of that but the tables.
  package func emptySchemaScript(for schema: TenantSchema) -> String {
    let name = schema.quoted
    guard hasRoles else { return "create schema \(name);" }
    return """
      create role \(name) nologin;
      grant \(name) to current_user;
      create schema \(name);
      grant usage on schema \(name) to \(name);
      \(futureRights(for: schema))
      """
  }

  /// The tables, in a schema that is empty.
  package func tablesScript(for schema: TenantSchema) -> String {
    tenantTables.joined(separator: schema.quoted)
  }

  /// Removes a tenant from the database, data and all.
  package func removalScript(for schema: TenantSchema) -> String {
    let role = hasRoles ? "drop role if exists \(schema.quoted);" : ""
    return "drop schema if exists \(schema.quoted) cascade;\n\(role)"
  }

  /// Applies what is pending to one tenant and returns its version.
  @discardableResult
  package func migrateTenant(organization: UUID, schema: TenantSchema) async throws -> Int {
    let version = try await tenantVersion(of: organization)
    for migration in tenant where migration.version > version {
      do {
        try await tenantStep(
          organization, from: migration.version - 1, to: migration.version,
          "\(futureRights(for: schema))\n\(Self.render(migration.up, for: schema))")
      } catch let error as DatabaseError {
        logger.error(
          "an organization could not be migrated",
          metadata: [
            "schema": "\(schema)", "version": "\(migration.version)",
            "error": .string(String(reflecting: error)),
          ])
        throw error
      }
    }
    return try await max(
      version, version < tenantVersion ? tenantVersion(of: organization) : version)
  }

  /// Takes back everything above `version` in one tenant, the newest first.
  package func revertTenant(organization: UUID, schema: TenantSchema, to version: Int) async throws
  {
    for migration in tenant.reversed() where migration.version > version {
      try await tenantStep(
        organization, from: migration.version, to: migration.version - 1,
        Self.render(migration.down, for: schema))
    }
  }

  /// One step of one tenant, unless somebody else has taken it: the organization's row is locked meanwhile, so that tenants
  /// are migrated side by side and each once.
  private func tenantStep(_ organization: UUID, from version: Int, to next: Int, _ script: String)
    async throws
  {
    try await yieldingToLocks { tx in
      guard
        try await tx.first(LockTenantSchemaVersion(organization: organization)) == version
      else { return }
      try await tx.script(
        """
        set local statement_timeout = 0;
        set local lock_timeout = \(Self.tenantLockTimeoutMilliseconds);
        \(script)
        """)
      try await tx.run(
        RecordTenantSchemaVersion(organization: organization, version: next, now: clock.now()))
    }
  }

  /// A tenant script for one schema: `{tenant}` becomes its quoted name.
  package static func render(_ script: String, for schema: TenantSchema) -> String {
    pieces(script).joined(separator: schema.quoted)
  }

  private static func pieces(_ script: String) -> [Substring] {
    script.split(separator: "{tenant}", omittingEmptySubsequences: false)
  }

  private func tenantVersion(of organization: UUID) async throws -> Int {
    guard let version = try await database.first(TenantSchemaVersion(organization: organization))
    else {
      throw DatabaseError(.migrationMismatch, "there is no such organization")
    }
    return version
  }

  /// What the tenant may do with every table that the platform makes in its schema from here on.
  ///
  /// Naming them afterwards with `on all tables` reads the whole catalogue, once for each tenant.
  private func futureRights(for schema: TenantSchema) -> String {
    guard hasRoles else { return "" }
    let name = schema.quoted
    return """
      alter default privileges in schema \(name)
        grant select, insert, update, delete on tables to \(name);
      """
  }

  // MARK: One step

  /// One transaction under the advisory lock.
  private func step(_ body: (Transaction) async throws -> Void) async throws {
    try await yieldingToLocks { tx in
      try await tx.script(Self.preamble)
      try await body(tx)
    }
  }

  /// One transaction that gives way to running statements and tries again.
  private func yieldingToLocks(_ body: (Transaction) async throws -> Void) async throws {
    for attempt in 1... {
      do {
        return try await database.transaction { tx in try await body(tx) }
      } catch let error as DatabaseError
        where error.sqlState == .lockNotAvailable && attempt < Self.attemptsMax
      {
        logger.info("migration waits for a lock", metadata: ["attempt": "\(attempt)"])
        try await Task.sleep(for: .milliseconds(200 * attempt))
      }
    }
  }

  private static let preamble = """
    set local statement_timeout = 0;
    select pg_advisory_xact_lock(\(lockKey));
    set local lock_timeout = \(lockTimeoutMilliseconds);
    """

  private static let historyTable = """
    create table if not exists control.schema_migration (
      version integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null
    )
    """
}

/// Whether anything was ever applied.
struct HistoryExists: Statement {
  static let sql: SQL<Self> = """
    select true from pg_catalog.pg_tables
     where schemaname = 'control' and tablename = 'schema_migration'
    """
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}

extension Database {
  /// The statements of this module, for the test that prepares every statement.
  package static let statements: [any Statement.Type] = [
    AppliedMigrations.self, RecordMigration.self, ForgetMigration.self, HistoryExists.self,
    TenantSchemaVersion.self, LockTenantSchemaVersion.self, RecordTenantSchemaVersion.self,
    Notify.self,
  ]
}
