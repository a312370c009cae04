import Database
import FoundationEssentials
import Platform

/// A job that this worker holds.
struct ClaimedJob: Sendable {
  let id: ID<JobRecord>
  let organization: UUID?
  let kind: String
  let payload: String
  let attempt: Int
  let attemptsMax: Int

  init(_ row: inout RowReader) throws {
    id = try row.next()
    organization = try row.next()
    kind = try row.next()
    payload = try row.next()
    attempt = try row.next()
    attemptsMax = try row.next()
  }

  /// The organization, with the platform itself as one more, as the claim orders them.
  var group: UUID { organization ?? .platform }
}

extension UUID {
  /// Stands for the platform among the organizations; the same value is in the index of `control.job`.
  static let platform = ID<JobRecord>.last.uuid
  /// Before every organization.
  static let first = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
}

// The planner takes the table for empty whenever a vacuum has seen it empty, however many jobs came since: reading all of
// it, by its primary key even, is a matter of no row then. So these statements, and those of outcomes, leave no choice.
// A row to change is found by `id = any (array(select …))`: one relation, no join to be turned round, and no length that
// the planner could know. Where rows are only read, a lateral subquery that cannot be pulled up looks for each by its key.

/// Has the statements of the transaction planned for the table as it is now.
///
/// The table of jobs is empty one moment and holds a hundred thousand rows the next; a plan kept from the first
/// moment would read all of them for each batch.
struct PlanAfresh: Statement {
  static let sql: SQL<Self> = "select set_config('plan_cache_mode', 'force_custom_plan', true)"
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

/// Takes due jobs of kinds without a limit, the same share from each organization (design section 8).
///
/// `ready` walks the distinct organizations of the index, starting after the one served last, so the
/// price does not depend on how many jobs one of them has queued.
struct ClaimJobs: Statement {
  let kinds: [String]
  let after: UUID
  let limit: Int
  let worker: UUID
  let now: Date
  let leaseExpiresAt: Date
  static let sql: SQL<Self> = """
    with recursive ready (organization) as (
      (select coalesce(organization_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
         from control.job
        where state = 'available'
          and coalesce(organization_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff') > \(\.after)
        order by coalesce(organization_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        limit 1)
      union all
      select (select coalesce(organization_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                from control.job
               where state = 'available'
                 and coalesce(organization_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                     > ready.organization
               order by coalesce(organization_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
               limit 1)
        from ready
       where ready.organization is not null
    ),
    groups as materialized (
      select organization from ready where organization is not null limit 256
    ),
    picked as materialized (
      select due.id
        from groups
       cross join lateral (
             select j.id
               from control.job as j
              where j.state = 'available'
                and coalesce(j.organization_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                    = groups.organization
                and j.run_at <= \(\.now)
                and j.kind = any (\(\.kinds))
              order by j.priority, j.run_at, j.id
              limit greatest(1, \(\.limit)::bigint / (select count(*) from groups))
                for update skip locked) as due
       limit \(\.limit)
    )
    update control.job
       set state = 'running',
           attempt = job.attempt + 1,
           worker_id = \(\.worker),
           lease_expires_at = \(\.leaseExpiresAt),
           started_at = coalesce(job.started_at, \(\.now))
     where id = any (array(select id from picked))
    returning job.id, job.organization_id, job.kind, job.payload::text, job.attempt, job.attempt_max
    """
  static func decode(_ row: inout RowReader) throws -> ClaimedJob { try ClaimedJob(&row) }
}

/// Makes claims of limited kinds take turns; without the lock two of them could pass a limit together.
struct LockLimitedClaims: Statement {
  static let sql: SQL<Self> = "select pg_try_advisory_xact_lock(7306862947001)"
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}

/// Takes due jobs of limited kinds, as far as the limits per kind and per organization leave room.
struct ClaimLimitedJobs: Statement {
  let kinds: [String]
  let perKind: [Int]
  let perOrganization: [Int]
  let limit: Int
  let worker: UUID
  let now: Date
  let leaseExpiresAt: Date
  static let sql: SQL<Self> = """
    with limits as materialized (
      select kind, per_kind, per_organization
        from unnest(\(\.kinds)::text[], \(\.perKind)::bigint[], \(\.perOrganization)::bigint[])
             as l (kind, per_kind, per_organization)
    ),
    running as materialized (
      select kind, organization_id, count(*) as jobs
        from control.job
       where state = 'running'
         and kind = any (\(\.kinds))
       group by kind, organization_id
    ),
    candidate as materialized (
      select j.id, j.kind, j.organization_id, j.priority, j.run_at, l.per_kind, l.per_organization,
             coalesce((select sum(r.jobs) from running as r where r.kind = j.kind), 0) as kind_jobs,
             coalesce((select r.jobs from running as r
                        where r.kind = j.kind and r.organization_id is not distinct from j.organization_id), 0)
               as organization_jobs
        from control.job as j
        join limits as l on l.kind = j.kind
       where j.state = 'available'
         and j.run_at <= \(\.now)
         and j.kind = any (\(\.kinds))
         and coalesce((select sum(r.jobs) from running as r where r.kind = j.kind), 0) < l.per_kind
         and coalesce((select r.jobs from running as r
                        where r.kind = j.kind and r.organization_id is not distinct from j.organization_id), 0)
             < l.per_organization
       order by j.priority, j.run_at, j.id
       limit 1000
         for update of j skip locked
    ),
    numbered as materialized (
      select id, kind, kind_jobs, per_kind, per_organization, organization_jobs, priority, run_at,
             row_number() over (partition by kind, organization_id order by priority, run_at, id) as turn
        from candidate
    ),
    allowed as materialized (
      select id, turn, kind_jobs, per_kind,
             row_number() over (partition by kind order by turn, priority, run_at, id) as kind_turn
        from numbered
       where turn + organization_jobs <= per_organization
    ),
    picked as materialized (
      select id
        from allowed
       where kind_turn + kind_jobs <= per_kind
       order by turn, id
       limit \(\.limit)
    )
    update control.job
       set state = 'running',
           attempt = job.attempt + 1,
           worker_id = \(\.worker),
           lease_expires_at = \(\.leaseExpiresAt),
           started_at = coalesce(job.started_at, \(\.now))
     where id = any (array(select id from picked))
    returning job.id, job.organization_id, job.kind, job.payload::text, job.attempt, job.attempt_max
    """
  static func decode(_ row: inout RowReader) throws -> ClaimedJob { try ClaimedJob(&row) }
}

/// Gives a lease longer life; rows that a transaction has fenced are skipped, and stay with us anyway.
struct ExtendLeases: Statement {
  let ids: [UUID]
  let attempts: [Int]
  let worker: UUID
  let leaseExpiresAt: Date
  static let sql: SQL<Self> = """
    update control.job
       set lease_expires_at = \(\.leaseExpiresAt)
     where id = any (array(
             select own.id
               from unnest(\(\.ids)::uuid[], \(\.attempts)::bigint[]) as held (id, attempt)
              cross join lateral (
                    select j.id
                      from control.job as j
                     where j.id = held.id
                       and j.attempt = held.attempt
                       and j.worker_id = \(\.worker)
                       for update skip locked) as own))
    """
}

/// Which of the jobs a worker believes to hold are still its own, and which of them are to stop.
struct HeldJobs: Statement {
  let ids: [UUID]
  let attempts: [Int]
  let worker: UUID
  static let sql: SQL<Self> = """
    select own.id, own.cancel_requested
      from unnest(\(\.ids)::uuid[], \(\.attempts)::bigint[]) as held (id, attempt)
     cross join lateral (
           select j.id, j.cancel_requested
             from control.job as j
            where j.id = held.id
              and j.attempt = held.attempt
              and j.worker_id = \(\.worker)
            limit 1) as own
    """
  static func decode(_ row: inout RowReader) throws -> (id: ID<JobRecord>, cancel: Bool) {
    (try row.next(), try row.next())
  }
}

/// Takes jobs back from workers that fell silent; a job out of attempts is dead.
struct RescueJobs: Statement {
  let now: Date
  let limit: Int
  static let sql: SQL<Self> = """
    update control.job
       set state = case when attempt >= attempt_max then 'dead' else 'available' end,
           run_at = \(\.now),
           worker_id = null,
           lease_expires_at = null,
           error = 'The worker stopped in the middle of the job.'
     where id = any (array(
             select id
               from control.job
              where state = 'running'
                and lease_expires_at < \(\.now)
              order by lease_expires_at
              limit \(\.limit)
                for update skip locked))
    """
}

/// Locks the row of a running job so that nobody can take it over before the transaction ends.
struct FenceJob: Statement {
  let id: ID<JobRecord>
  let attempt: Int
  let worker: UUID
  static let sql: SQL<Self> = """
    select true
      from control.job
     where id = \(\.id)
       and attempt = \(\.attempt)
       and worker_id = \(\.worker)
       for no key update
    """
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}
