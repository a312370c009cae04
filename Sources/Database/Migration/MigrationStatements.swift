import FoundationEssentials

/// What has been applied to the control schema, by version.
struct AppliedMigrations: Statement {
  struct Row: Sendable {
    let version: Int
    let name: String
    let checksum: String
  }

  static let sql: SQL<Self> =
    "select version, name, checksum from control.schema_migration order by version"

  static func decode(_ row: inout RowReader) throws -> Row {
    Row(version: try row.next(), name: try row.next(), checksum: try row.next())
  }
}

struct RecordMigration: Statement {
  let version: Int
  let name: String
  let checksum: String
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.schema_migration (version, name, checksum, applied_at)
    values (\(\.version), \(\.name), \(\.checksum), \(\.now))
    """
}

struct ForgetMigration: Statement {
  let version: Int
  static let sql: SQL<Self> = "delete from control.schema_migration where version = \(\.version)"
}

struct TenantSchemaVersion: Statement {
  let organization: UUID
  static let sql: SQL<Self> = """
    select schema_version from control.organization where id = \(\.organization)
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

struct LockTenantSchemaVersion: Statement {
  let organization: UUID
  static let sql: SQL<Self> = """
    select schema_version from control.organization where id = \(\.organization) for update
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

struct RecordTenantSchemaVersion: Statement {
  let organization: UUID
  let version: Int
  let now: Date
  static let sql: SQL<Self> = """
    update control.organization
       set schema_version = \(\.version), updated_at = \(\.now)
     where id = \(\.organization)
    """
}
