import Database
import FoundationEssentials
import Platform
import Tenancy

struct InsertSampleClient: Statement {
  let id: String
  let metadata: JSON
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).client (id, metadata, status, version, created_at, updated_at)
    values (\(\.id), \(\.metadata), 'active', 1, \(\.now), \(\.now))
    on conflict (id) do update set metadata = excluded.metadata
    """
}

/// Marks the ids of sessions in tests.
enum SampleSession {}

struct InsertSampleSession: Statement {
  let id: UUID
  let user: UserID
  let token: [UInt8]
  let personal: [UInt8]
  let now: Date
  let expiresAt: Date
  let endedAt: Date?
  static let sql: SQL<Self> = """
    insert into \(tenant).session
      (id, token_hash, user_id, auth_time, acr, amr, personal, created_at, expires_at, ended_at)
    values
      (\(\.id), \(\.token), \(\.user), \(\.now), 'urn:pwd', '{pwd}', \(\.personal), \(\.now),
       \(\.expiresAt), \(\.endedAt))
    """
}

struct InsertSampleFamily: Statement {
  let id: UUID
  let user: UserID
  let session: UUID?
  let now: Date
  let expiresAt: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).token_family
      (id, user_id, client_id, session_id, scope, auth_time, acr, amr, generation, created_at,
       expires_at)
    values
      (\(\.id), \(\.user), 'web', \(\.session), 'openid profile', \(\.now), 'urn:pwd', '{pwd}', 1,
       \(\.now), \(\.expiresAt))
    """
}

struct InsertSampleCode: Statement {
  let hash: [UInt8]
  let user: UserID
  let now: Date
  let expiresAt: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).one_time_token (kind, hash, user_id, payload, created_at, expires_at)
    values ('authorization_code', \(\.hash), \(\.user), '{}', \(\.now), \(\.expiresAt))
    """
}

struct ListSampleLedger: Statement {
  let organization: TenantID
  static let sql: SQL<Self> = """
    select state, subject_id from control.erasure_ledger where organization_id = \(\.organization)
    """
  static func decode(_ row: inout RowReader) throws -> (state: String, subject: UserID) {
    (try row.next(), try row.next())
  }
}

/// Every column of a tenant as Postgres knows it.
struct ListSampleColumns: Statement {
  let schema: String
  static let sql: SQL<Self> = """
    select c.relname::text || '.' || a.attname::text
      from pg_catalog.pg_class as c
      join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
      join pg_catalog.pg_attribute as a on a.attrelid = c.oid
     where n.nspname = \(\.schema)
       and c.relkind in ('r', 'p', 'v', 'm')
       and a.attnum > 0
       and not a.attisdropped
    """
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

/// The primary key of every table, and the tables it refers to.
struct ListSampleKeys: Statement {
  let schema: String
  static let sql: SQL<Self> = """
    select c.conrelid::regclass::text, c.contype::text,
           array(select a.attname::text
                   from unnest(c.conkey) with ordinality as k (number, place)
                   join pg_catalog.pg_attribute as a
                     on a.attrelid = c.conrelid and a.attnum = k.number
                  order by k.place),
           coalesce(parent.relname::text, ''), child.relname::text
      from pg_catalog.pg_constraint as c
      join pg_catalog.pg_namespace as n on n.oid = c.connamespace
      join pg_catalog.pg_class as child on child.oid = c.conrelid
      left join pg_catalog.pg_class as parent on parent.oid = c.confrelid
     where n.nspname = \(\.schema)
       and c.contype in ('p', 'f')
    """
  static func decode(_ row: inout RowReader) throws -> (
    kind: String, columns: [String], parent: String, table: String
  ) {
    _ = try row.next(String.self)
    return (try row.next(), try row.next(), try row.next(), try row.next())
  }
}
