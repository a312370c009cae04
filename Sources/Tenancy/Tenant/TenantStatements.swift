import Database
import Platform

/// A tenant with its wrapped key in one round trip.
struct FindTenantBySlug: Statement {
  let slug: String
  static let sql: SQL<Self> = """
    select organization.id, slug, name, status, schema_name, epoch, settings, key.version, key.wrapped
      from control.organization
           join control.tenant_key as key on key.organization_id = organization.id
     where slug = \(\.slug)
       and status <> 'deleted'
     order by key.version desc
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> StoredTenant { try StoredTenant(row: &row) }
}

struct FindTenantByID: Statement {
  let id: TenantID
  static let sql: SQL<Self> = """
    select organization.id, slug, name, status, schema_name, epoch, settings, key.version, key.wrapped
      from control.organization
           join control.tenant_key as key on key.organization_id = organization.id
     where organization.id = \(\.id)
       and status <> 'deleted'
     order by key.version desc
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> StoredTenant { try StoredTenant(row: &row) }
}

/// Whether a schema belongs to a tenant that is not deleted.
struct FindTenantSchema: Statement {
  let schema: String
  static let sql: SQL<Self> = """
    select exists (
             select from control.organization
              where schema_name = \(\.schema)
                and status <> 'deleted')
    """
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}

struct StoredTenant: Sendable {
  let id: TenantID
  let slug: String
  let name: String
  let status: TenantStatus
  let schema: String
  let epoch: Int
  let settings: JSON
  let keyVersion: Int
  let wrappedKey: [UInt8]

  init(row: inout RowReader) throws {
    id = try row.next()
    slug = try row.next()
    name = try row.next()
    status = try row.next()
    schema = try row.next()
    epoch = try row.next()
    settings = try row.next()
    keyVersion = try row.next()
    wrappedKey = try row.next()
  }

  func opened(with masterKey: MasterKey, issuerBase: String) throws -> Tenant {
    guard let schema = TenantSchema(schema) else {
      throw StoredValueError(column: "organization.schema_name")
    }
    return Tenant(
      id: id, slug: slug, name: name, status: status, schema: schema, epoch: epoch,
      issuer: Tenant.issuer(base: issuerBase, slug: slug),
      settings: try TenantSettings(stored: settings.objectValue ?? [:]),
      key: try masterKey.unwrap(wrappedKey, tenant: id, version: keyVersion))
  }
}
