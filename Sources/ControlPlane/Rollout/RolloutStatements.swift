import Database
import FoundationEssentials
import Platform

/// Starts a rollout, or the one that is open again from its canary on.
struct OpenRollout: Statement {
  let id: ID<Rollout>
  let target: Int
  let failurePercentMax: Int
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.schema_rollout as open
           (id, target_version, state, wave, migrated, failure_percent_max, created_at, updated_at)
    values (\(\.id), \(\.target), 'running', 0, 0, \(\.failurePercentMax), \(\.now), \(\.now))
        on conflict ((true)) where state <> 'completed' do update
       set target_version = greatest(open.target_version, excluded.target_version),
           state = 'running',
           wave = 0,
           migrated = 0,
           failure_percent_max = excluded.failure_percent_max,
           updated_at = excluded.updated_at
    returning id, target_version, state, wave, migrated, failure_percent_max, created_at, updated_at
    """
  static func decode(_ row: inout RowReader) throws -> Rollout { try Rollout(row: &row) }
}

struct PauseRollout: Statement {
  let now: Date
  static let sql: SQL<Self> = """
    update control.schema_rollout
       set state = 'paused',
           updated_at = \(\.now)
     where state = 'running'
    returning id, target_version, state, wave, migrated, failure_percent_max, created_at, updated_at
    """
  static func decode(_ row: inout RowReader) throws -> Rollout { try Rollout(row: &row) }
}

struct LatestRollout: Statement {
  static let sql: SQL<Self> = """
    select id, target_version, state, wave, migrated, failure_percent_max, created_at, updated_at
      from control.schema_rollout
     order by created_at desc, id desc
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> Rollout { try Rollout(row: &row) }
}

struct LockRollout: Statement {
  let id: ID<Rollout>
  static let sql: SQL<Self> = """
    select id, target_version, state, wave, migrated, failure_percent_max, created_at, updated_at
      from control.schema_rollout
     where id = \(\.id)
       for update
    """
  static func decode(_ row: inout RowReader) throws -> Rollout { try Rollout(row: &row) }
}

struct AdvanceRollout: Statement {
  let id: ID<Rollout>
  let state: Rollout.State
  let waves: Int
  let migrated: Int
  let now: Date
  static let sql: SQL<Self> = """
    update control.schema_rollout
       set state = \(\.state),
           wave = wave + \(\.waves),
           migrated = migrated + \(\.migrated),
           updated_at = \(\.now)
     where id = \(\.id)
    """
}

/// How many organizations are below the target, and how many of them failed.
struct RolloutShare: Statement {
  struct Row: Sendable {
    let pending: Int
    let failed: Int
  }

  let rollout: ID<Rollout>
  let target: Int
  static let sql: SQL<Self> = """
    select count(*), count(failure.organization_id)
      from control.organization
           left join control.schema_rollout_failure as failure
             on failure.organization_id = organization.id
            and failure.rollout_id = \(\.rollout)
     where schema_version < \(\.target)
       and status not in ('deleting', 'deleted')
    """
  static func decode(_ row: inout RowReader) throws -> Row {
    Row(pending: try row.next(), failed: try row.next())
  }
}

/// The next organizations below the target that have not failed; the platform's own comes last.
struct PendingOrganizations: Statement {
  struct Row: Sendable {
    let id: UUID
    let schema: String
  }

  let rollout: ID<Rollout>
  let target: Int
  let limit: Int
  static let sql: SQL<Self> = """
    select id, schema_name
      from control.organization
     where schema_version < \(\.target)
       and status not in ('deleting', 'deleted')
       and not exists (
             select from control.schema_rollout_failure as failure
              where failure.rollout_id = \(\.rollout)
                and failure.organization_id = organization.id)
     order by slug = 'system', id
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> Row {
    Row(id: try row.next(), schema: try row.next())
  }
}

struct RecordRolloutFailures: Statement {
  let rollout: ID<Rollout>
  let organizations: [UUID]
  let errors: [String]
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.schema_rollout_failure (rollout_id, organization_id, error, failed_at)
    select \(\.rollout), failed.organization_id, failed.error, \(\.now)
      from unnest(\(\.organizations)::uuid[], \(\.errors)::text[])
           as failed (organization_id, error)
        on conflict (rollout_id, organization_id) do update
       set error = excluded.error,
           failed_at = excluded.failed_at
    """
}

struct ForgetRolloutFailures: Statement {
  let rollout: ID<Rollout>
  static let sql: SQL<Self> = """
    delete from control.schema_rollout_failure where rollout_id = \(\.rollout)
    """
}

struct RolloutFailures: Statement {
  let rollout: ID<Rollout>
  let limit: Int
  static let sql: SQL<Self> = """
    select failure.organization_id, organization.slug, failure.error
      from control.schema_rollout_failure as failure
           join control.organization on organization.id = failure.organization_id
     where failure.rollout_id = \(\.rollout)
       and organization.status not in ('deleting', 'deleted')
     order by failure.failed_at, failure.organization_id
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> RolloutFailure {
    RolloutFailure(
      organization: try row.next(), slug: try row.next(), error: try row.next())
  }
}

extension Rollout {
  init(row: inout RowReader) throws {
    self.init(
      id: try row.next(), target: try row.next(), state: try row.next(), wave: try row.next(),
      migrated: try row.next(), failurePercentMax: try row.next(), createdAt: try row.next(),
      updatedAt: try row.next())
  }
}
