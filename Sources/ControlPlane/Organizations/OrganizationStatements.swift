import Database
import FoundationEssentials
import Platform
import Tenancy

struct InsertOrganization: Statement {
  let id: TenantID
  let slug: String
  let name: String
  let schema: String
  let schemaVersion: Int
  let settings: JSON
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.organization
           (id, slug, name, status, schema_name, schema_version, epoch, settings, created_at, updated_at)
    values (\(\.id), \(\.slug), \(\.name), 'active', \(\.schema), \(\.schemaVersion), 1, \(\.settings),
            \(\.now), \(\.now))
    """
}

struct InsertTenantKey: Statement {
  let organization: TenantID
  let version: Int
  let wrapped: [UInt8]
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.tenant_key (organization_id, version, wrapped, created_at)
    values (\(\.organization), \(\.version), \(\.wrapped), \(\.now))
    """
}

/// One organization, by id or by the slug it has now.
struct FindOrganization: Statement {
  let id: TenantID?
  let slug: String?
  static let sql: SQL<Self> = """
    select id, slug, name, status, schema_version, epoch, settings, created_at, updated_at, deleted_at
      from control.organization
     where id = \(\.id)
        or (slug = \(\.slug) and status <> 'deleted')
    """
  static func decode(_ row: inout RowReader) throws -> Organization {
    try Organization(row: &row)
  }
}

/// The same, for a change in the same transaction.
struct LockOrganization: Statement {
  let id: TenantID
  static let sql: SQL<Self> = """
    select id, slug, name, status, schema_version, epoch, settings, created_at, updated_at, deleted_at
      from control.organization
     where id = \(\.id)
       for update
    """
  static func decode(_ row: inout RowReader) throws -> Organization {
    try Organization(row: &row)
  }
}

/// A page of the organizations, oldest first; the deleted only where they are asked for.
struct ListOrganizations: Statement {
  let after: TenantID?
  let status: String?
  let limit: Int
  static let sql: SQL<Self> = """
    select id, slug, name, status, schema_version, epoch, settings, created_at, updated_at, deleted_at
      from control.organization
     where (\(\.after) is null or id > \(\.after))
       and (status = \(\.status) or (\(\.status) is null and status <> 'deleted'))
     order by id
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> Organization {
    try Organization(row: &row)
  }
}

struct UpdateOrganization: Statement {
  let id: TenantID
  let name: String
  let settings: JSON
  let now: Date
  static let sql: SQL<Self> = """
    update control.organization
       set name = \(\.name),
           settings = \(\.settings),
           epoch = epoch + 1,
           updated_at = \(\.now)
     where id = \(\.id)
    returning id, slug, name, status, schema_version, epoch, settings, created_at, updated_at, deleted_at
    """
  static func decode(_ row: inout RowReader) throws -> Organization {
    try Organization(row: &row)
  }
}

struct SetOrganizationStatus: Statement {
  let id: TenantID
  let status: TenantStatus
  let deletedAt: Date?
  let now: Date
  static let sql: SQL<Self> = """
    update control.organization
       set status = \(\.status),
           deleted_at = \(\.deletedAt),
           epoch = epoch + 1,
           updated_at = \(\.now)
     where id = \(\.id)
    returning id, slug, name, status, schema_version, epoch, settings, created_at, updated_at, deleted_at
    """
  static func decode(_ row: inout RowReader) throws -> Organization {
    try Organization(row: &row)
  }
}

struct DeleteTenantKeys: Statement {
  let organization: TenantID
  static let sql: SQL<Self> = """
    delete from control.tenant_key where organization_id = \(\.organization)
    """
}

struct DeleteIdempotencyKeys: Statement {
  let organization: TenantID
  static let sql: SQL<Self> = """
    delete from control.idempotency_key where organization_id = \(\.organization)
    """
}

extension Organization {
  init(row: inout RowReader) throws {
    self.init(
      id: try row.next(), slug: try row.next(), name: try row.next(), status: try row.next(),
      schemaVersion: try row.next(), epoch: try row.next(), settings: try row.next(),
      createdAt: try row.next(), updatedAt: try row.next(), deletedAt: try row.next())
  }
}
