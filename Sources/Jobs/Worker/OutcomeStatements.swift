import Database
import FoundationEssentials
import Platform

// These find rows by primary key and leave the state out: a row with a worker is running, by a CHECK. With the state in
// the condition the planner may go by the index of leases, which is full of rows that have just finished.

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
       using unnest(\(\.ids)::uuid[], \(\.attempts)::bigint[], \(\.states)::text[])
             as held (id, attempt, state)
       where j.id = held.id
         and j.attempt = held.attempt
         and j.worker_id = \(\.worker)
      returning j.id, j.organization_id, j.kind, j.payload, held.state, j.attempt, j.progress, j.error,
                j.created_at, j.started_at
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
       set state = case when held.dead then 'dead' else 'available' end,
           run_at = held.run_at,
           error = held.error,
           worker_id = null,
           lease_expires_at = null
      from unnest(\(\.ids)::uuid[], \(\.attempts)::bigint[], \(\.runAts)::timestamptz[],
                  \(\.deads)::boolean[], \(\.errors)::text[])
           as held (id, attempt, run_at, dead, error)
     where j.id = held.id
       and j.attempt = held.attempt
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
      from unnest(\(\.ids)::uuid[], \(\.attempts)::bigint[]) as held (id, attempt)
     where j.id = held.id
       and j.attempt = held.attempt
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
    with held as (
      select j.id, held.done, held.total
        from control.job as j
        join unnest(\(\.ids)::uuid[], \(\.attempts)::bigint[], \(\.done)::bigint[], \(\.total)::bigint[])
             as held (id, attempt, done, total)
          on j.id = held.id and j.attempt = held.attempt
       where j.worker_id = \(\.worker)
         for update of j skip locked
    )
    update control.job as j
       set progress = jsonb_build_object('done', held.done, 'total', held.total)
      from held
     where j.id = held.id
    returning j.id
    """
  static func decode(_ row: inout RowReader) throws -> ID<JobRecord> { try row.next() }
}
