import Database
import FoundationEssentials
import Platform
import Tenancy

/// An organization that is nobody's yet: its slug is none that anybody could ask for.
struct InsertReadyOrganization: Statement {
  let id: TenantID
  let schema: String
  let schemaVersion: Int
  /// 0 until others may take it, 1 from then on.
  let epoch: Int
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.organization
           (id, slug, name, status, schema_name, schema_version, epoch, settings, created_at, updated_at)
    values (\(\.id), \(\.schema), '', 'provisioning', \(\.schema), \(\.schemaVersion), \(\.epoch), '{}',
            \(\.now), \(\.now))
    """
}

/// Gives a ready organization its name, and its key back; of requests at the same time each gets another.
struct TakeReadyOrganization: Statement {
  let slug: String
  let name: String
  let schemaVersion: Int
  let settings: JSON
  let now: Date
  static let sql: SQL<Self> = """
    update control.organization
       set slug = \(\.slug),
           name = \(\.name),
           status = 'active',
           settings = \(\.settings),
           created_at = \(\.now),
           updated_at = \(\.now)
      from (select organization.id, key.version, key.wrapped
              from control.organization
                   join control.tenant_key as key on key.organization_id = organization.id
             where status = 'provisioning'
               and organization.epoch = 1
               and schema_version = \(\.schemaVersion)
             order by organization.created_at
             limit 1
               for update of organization skip locked) as ready
     where organization.id = ready.id
    returning organization.id, ready.version, ready.wrapped
    """
  static func decode(_ row: inout RowReader) throws -> TakenOrganization {
    TakenOrganization(
      id: try row.next(), keyVersion: try row.next(), wrappedKey: try row.next())
  }
}

struct TakenOrganization: Sendable {
  let id: TenantID
  let keyVersion: Int
  let wrappedKey: [UInt8]
}

struct CountReadyOrganizations: Statement {
  let schemaVersion: Int
  static let sql: SQL<Self> = """
    select count(*)
      from control.organization
     where status = 'provisioning'
       and schema_version = \(\.schemaVersion)
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

/// Lets others take what was made ready before; under the lock of those who prepare.
///
/// Postgres shows a commit to others a moment before it tells them of the new role, and gives up the lock after both. So
/// whoever sees a published organization can hear of its role, too (``HearOfRoles``).
struct PublishReadyOrganizations: Statement {
  static let sql: SQL<Self> = """
    update control.organization
       set epoch = 1
     where status = 'provisioning'
       and epoch = 0
    """
}

/// Has the backend hear which roles it may take on by now.
///
/// Postgres keeps memberships in memory and looks for news when it locks a table; a role that was made since the
/// transaction began would be refused (42501).
struct HearOfRoles: Statement {
  static let sql: SQL<Self> = "select exists (select from pg_catalog.pg_auth_members)"
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}

/// Makes the processes that prepare organizations take turns.
struct LockReadyOrganizations: Statement {
  static let sql: SQL<Self> = "select pg_try_advisory_xact_lock(7306862947002)"
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
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

/// A page of the organizations, oldest first; the deleted and the ready only where they are asked for.
struct ListOrganizations: Statement {
  let after: TenantID?
  let status: String?
  let limit: Int
  static let sql: SQL<Self> = """
    select id, slug, name, status, schema_version, epoch, settings, created_at, updated_at, deleted_at
      from control.organization
     where (\(\.after) is null or id > \(\.after))
       and (status = \(\.status) or (\(\.status) is null and status not in ('provisioning', 'deleted')))
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
