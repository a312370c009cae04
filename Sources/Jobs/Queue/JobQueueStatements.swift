import Database
import FoundationEssentials
import Platform

/// One job, waiting or finished.
struct FindJob: Statement {
  let id: ID<JobRecord>
  static let sql: SQL<Self> = """
    select id, organization_id, kind, state, attempt, attempt_max, progress::text, error, run_at,
           created_at, started_at, null::timestamptz as finished_at
      from control.job
     where id = \(\.id)
     union all
    select id, organization_id, kind, state, attempt, null::integer, progress::text, error,
           null::timestamptz, created_at, started_at, finished_at
      from control.job_finished
     where id = \(\.id)
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> JobRecord { try JobRecord(&row) }
}

/// A page of jobs, newest first.
struct ListJobs: Statement {
  let state: String?
  let kind: String?
  let organization: UUID?
  let before: ID<JobRecord>
  let limit: Int
  static let sql: SQL<Self> = """
    select id, organization_id, kind, state, attempt, attempt_max, progress, error, run_at, created_at,
           started_at, finished_at
      from ((select id, organization_id, kind, state, attempt, attempt_max, progress::text, error,
                    run_at, created_at, started_at, null::timestamptz as finished_at
               from control.job
              where id < \(\.before)
                and (\(\.state)::text is null or state = \(\.state))
                and (\(\.kind)::text is null or kind = \(\.kind))
                and (\(\.organization)::uuid is null or organization_id = \(\.organization))
              order by id desc
              limit \(\.limit))
            union all
            (select id, organization_id, kind, state, attempt, null::integer, progress::text, error,
                    null::timestamptz, created_at, started_at, finished_at
               from control.job_finished
              where id < \(\.before)
                and (\(\.state)::text is null or state = \(\.state))
                and (\(\.kind)::text is null or kind = \(\.kind))
                and (\(\.organization)::uuid is null or organization_id = \(\.organization))
              order by id desc
              limit \(\.limit))) as both_tables
     order by id desc
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> JobRecord { try JobRecord(&row) }
}

/// Ends a job that no worker holds.
struct CancelWaitingJob: Statement {
  let id: ID<JobRecord>
  let now: Date
  static let sql: SQL<Self> = """
    with cancelled as (
      delete from control.job
       where id = \(\.id)
         and state in ('available', 'dead')
      returning id, organization_id, kind, payload, attempt, progress, error, created_at, started_at
    )
    insert into control.job_finished
      (id, organization_id, kind, payload, state, attempt, progress, error, created_at, started_at,
       finished_at)
    select id, organization_id, kind, payload, 'cancelled', attempt, progress, error, created_at,
           started_at, \(\.now)
      from cancelled
    """
}

/// Asks the worker of a running job to stop it.
struct RequestCancel: Statement {
  let id: ID<JobRecord>
  static let sql: SQL<Self> = """
    update control.job
       set cancel_requested = true
     where id = \(\.id)
       and state = 'running'
    """
}

/// Gives a dead job all its attempts again.
struct RedriveJob: Statement {
  let id: ID<JobRecord>
  let now: Date
  static let sql: SQL<Self> = """
    update control.job
       set state = 'available',
           attempt = 0,
           run_at = \(\.now),
           cancel_requested = false
     where id = \(\.id)
       and state = 'dead'
    """
}

extension JobRecord {
  init(_ row: inout RowReader) throws {
    id = try row.next()
    organization = try row.next()
    kind = try row.next()
    let name: String = try row.next()
    guard let state = JobState(rawValue: name) else { throw UnknownJobState() }
    self.state = state
    attempt = try row.next()
    let max: Int? = try row.next()
    attemptsMax = max ?? 0
    let text: String? = try row.next()
    progress = text.flatMap(JobProgress.init(text:))
    error = try row.next()
    runAt = try row.next()
    createdAt = try row.next()
    startedAt = try row.next()
    finishedAt = try row.next()
  }
}

struct UnknownJobState: Error {}

extension JobProgress {
  init?(text: String) {
    guard let json = try? JSON.parse(Array(text.utf8), limits: .request),
      let done = json["done"]?.integerValue, let total = json["total"]?.integerValue
    else { return nil }
    self.init(done: Int(done), total: Int(total))
  }
}
