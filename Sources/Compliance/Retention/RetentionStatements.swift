import Database
import FoundationEssentials
import Platform
import Tenancy

/// A rule as the tenant has set it.
struct StoredRule: Hashable, Sendable {
  let id: String
  let isEnabled: Bool
  let keepDays: Int
  let updatedAt: Date
}

struct ListRules: Statement {
  static let sql: SQL<Self> = """
    select id, enabled, keep_days, updated_at
      from \(tenant).retention_rule
     order by id
    """
  static func decode(_ row: inout RowReader) throws -> StoredRule {
    StoredRule(
      id: try row.next(), isEnabled: try row.next(), keepDays: try row.next(),
      updatedAt: try row.next())
  }
}

/// The targets' rules as they start; those that are there stay.
struct SeedRules: Statement {
  let ids: [String]
  let enabled: [Bool]
  let keepDays: [Int]
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).retention_rule (id, enabled, keep_days, updated_at)
    select rule.id, rule.enabled, rule.keep_days, \(\.now)
      from unnest(\(\.ids)::text[], \(\.enabled)::boolean[], \(\.keepDays)::bigint[])
           as rule (id, enabled, keep_days)
        on conflict (id) do nothing
    """
}

struct PutRule: Statement {
  let id: String
  let enabled: Bool
  let keepDays: Int
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).retention_rule (id, enabled, keep_days, updated_at)
    values (\(\.id), \(\.enabled), \(\.keepDays), \(\.now))
    on conflict (id) do update
       set enabled = excluded.enabled,
           keep_days = excluded.keep_days,
           updated_at = excluded.updated_at
    """
}

/// A run; the one that a killed worker began goes on.
struct InsertRun: Statement {
  let id: ID<RetentionRun>
  let dryRun: Bool
  let channel: RetentionChannel
  let state: RetentionRunState
  let now: Date
  let finishedAt: Date?
  let report: JSON
  static let sql: SQL<Self> = """
    insert into \(tenant).retention_run (id, dry_run, channel, state, started_at, finished_at, report)
    values
      (\(\.id), \(\.dryRun), \(\.channel), \(\.state), \(\.now), \(\.finishedAt), \(\.report))
    on conflict (id) do nothing
    """
}

struct UpdateRun: Statement {
  let id: ID<RetentionRun>
  let state: RetentionRunState
  let finishedAt: Date?
  let report: JSON
  static let sql: SQL<Self> = """
    update \(tenant).retention_run
       set state = \(\.state),
           finished_at = \(\.finishedAt),
           report = \(\.report)
     where id = \(\.id)
    """
}

/// Ends a run that has not ended otherwise, with the report it has.
struct FailRun: Statement {
  let id: ID<RetentionRun>
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).retention_run
       set state = 'failed',
           finished_at = \(\.now)
     where id = \(\.id)
       and state = 'running'
    """
}

struct FindRun: Statement {
  let id: ID<RetentionRun>
  static let sql: SQL<Self> = """
    select id, dry_run, channel, state, started_at, finished_at, report
      from \(tenant).retention_run
     where id = \(\.id)
    """
  static func decode(_ row: inout RowReader) throws -> RetentionRun { try RetentionRun(&row) }
}

/// A page of runs, newest first.
struct ListRuns: Statement {
  let before: ID<RetentionRun>?
  let limit: Int
  static let sql: SQL<Self> = """
    select id, dry_run, channel, state, started_at, finished_at, report
      from \(tenant).retention_run
     where (\(\.before) is null or id < \(\.before))
     order by id desc
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> RetentionRun { try RetentionRun(&row) }
}

/// Foreign keys inside the tenant's schema: what still refers to a row keeps it.
struct TenantForeignKeys: Statement {
  let schema: String
  static let sql: SQL<Self> = """
    select child.relname::text, child_column.attname::text, parent.relname::text,
           parent_column.attname::text
      from pg_catalog.pg_constraint as c
      join pg_catalog.pg_namespace as n on n.oid = c.connamespace
      join pg_catalog.pg_class as child on child.oid = c.conrelid
      join pg_catalog.pg_class as parent on parent.oid = c.confrelid
      join pg_catalog.pg_attribute as child_column
        on child_column.attrelid = c.conrelid and child_column.attnum = c.conkey[1]
      join pg_catalog.pg_attribute as parent_column
        on parent_column.attrelid = c.confrelid and parent_column.attnum = c.confkey[1]
     where n.nspname = \(\.schema)
       and c.contype = 'f'
       and cardinality(c.conkey) = 1
     order by c.conname
    """
  static func decode(_ row: inout RowReader) throws -> ForeignKeyName {
    ForeignKeyName(
      child: try row.next(), childColumn: try row.next(), parent: try row.next(),
      parentColumn: try row.next())
  }
}

struct ForeignKeyName: Hashable, Sendable {
  let child: String
  let childColumn: String
  let parent: String
  let parentColumn: String
}

extension RetentionRun {
  fileprivate init(_ row: inout RowReader) throws {
    id = try row.next()
    isDryRun = try row.next()
    channel = try row.next()
    state = try row.next()
    startedAt = try row.next()
    finishedAt = try row.next()
    let report: JSON? = try row.next()
    counts = report?.arrayValue?.compactMap(RetentionCount.init) ?? []
  }
}
