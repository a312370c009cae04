import Database
import FoundationEssentials
import Platform

// These find rows by primary key, as the claims do (see there), and leave the state out: a row with a worker is running, by
// a CHECK. With the state in the condition the planner may go by the index of leases, which is full of rows that have just
// finished. What belongs to a row stands in the arrays at the place of its id: a batch is small enough to look for it.

/// Moves jobs that ended well, or were cancelled, out of the queue; jobs of another holder are left alone.
struct FinishJobs: Statement {
  let ids: [UUID]
  let attempts: [Int]
  let states: [String]
  let worker: UUID
  let now: Date
  static let sql: SQL<Self> = """
    with finished as (
      delete from control.job as j
       where j.id = any (array(select unnest(\(\.ids)::uuid[])))
         and j.attempt = (\(\.attempts)::bigint[])[array_position(\(\.ids)::uuid[], j.id)]
         and j.worker_id = \(\.worker)
      returning j.id, j.organization_id, j.kind, j.payload,
                (\(\.states)::text[])[array_position(\(\.ids)::uuid[], j.id)] as state, j.attempt,
                j.progress, j.error, j.created_at, j.started_at
    )
    insert into control.job_finished
      (id, organization_id, kind, payload, state, attempt, progress, error, created_at, started_at,
       finished_at)
    select id, organization_id, kind, payload, state, attempt, progress,
           case when state = 'completed' then null else error end, created_at, started_at, \(\.now)
      from finished
    """
}

/// Puts jobs that failed back for another attempt, or among the dead.
struct FailJobs: Statement {
  var ids: [UUID]
  var attempts: [Int]
  var runAts: [Date]
  var deads: [Bool]
  var errors: [String]
  let worker: UUID
  static let sql: SQL<Self> = """
    update control.job as j
       set state = case when (\(\.deads)::boolean[])[array_position(\(\.ids)::uuid[], j.id)]
                        then 'dead' else 'available' end,
           run_at = (\(\.runAts)::timestamptz[])[array_position(\(\.ids)::uuid[], j.id)],
           error = (\(\.errors)::text[])[array_position(\(\.ids)::uuid[], j.id)],
           worker_id = null,
           lease_expires_at = null
     where j.id = any (array(select unnest(\(\.ids)::uuid[])))
       and j.attempt = (\(\.attempts)::bigint[])[array_position(\(\.ids)::uuid[], j.id)]
       and j.worker_id = \(\.worker)
    """
}

/// Hands jobs back as if they had never been claimed.
struct ReturnJobs: Statement {
  let ids: [UUID]
  let attempts: [Int]
  let worker: UUID
  static let sql: SQL<Self> = """
    update control.job as j
       set state = 'available',
           attempt = j.attempt - 1,
           worker_id = null,
           lease_expires_at = null
     where j.id = any (array(select unnest(\(\.ids)::uuid[])))
       and j.attempt = (\(\.attempts)::bigint[])[array_position(\(\.ids)::uuid[], j.id)]
       and j.worker_id = \(\.worker)
    """
}

/// Stores how far jobs have come.
///
/// It skips rows that are locked, by the fence of a handler's own transaction above all: a heartbeat does not wait. The
/// rows are those it has written.
struct ReportProgress: Statement {
  let ids: [UUID]
  let attempts: [Int]
  let done: [Int]
  let total: [Int]
  let worker: UUID
  static let sql: SQL<Self> = """
    with own as materialized (
      select job.id
        from unnest(\(\.ids)::uuid[], \(\.attempts)::bigint[]) as held (id, attempt)
       cross join lateral (
             select j.id
               from control.job as j
              where j.id = held.id
                and j.attempt = held.attempt
                and j.worker_id = \(\.worker)
                for update skip locked) as job
    )
    update control.job as j
       set progress = jsonb_build_object(
             'done', (\(\.done)::bigint[])[array_position(\(\.ids)::uuid[], j.id)],
             'total', (\(\.total)::bigint[])[array_position(\(\.ids)::uuid[], j.id)])
     where j.id = any (array(select id from own))
    returning j.id
    """
  static func decode(_ row: inout RowReader) throws -> ID<JobRecord> { try row.next() }
}
