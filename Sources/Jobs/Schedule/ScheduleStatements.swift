import Database
import FoundationEssentials
import Platform

/// Declares a recurring job; an existing one keeps its place in time unless its cron, zone or jitter changed.
struct PutSchedule: Statement {
  let id: UUID
  let organization: UUID?
  let kind: String
  let payload: String
  let cron: String
  let timeZone: String
  let jitterSeconds: Int
  let catchUp: ScheduleCatchUp
  let enabled: Bool
  let nextRunAt: Date
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.job_schedule as s
      (id, organization_id, kind, payload, cron, time_zone, jitter_seconds, catch_up, enabled,
       next_run_at, created_at)
    values
      (\(\.id), \(\.organization), \(\.kind), \(\.payload)::text::jsonb, \(\.cron), \(\.timeZone),
       \(\.jitterSeconds), \(\.catchUp), \(\.enabled), \(\.nextRunAt), \(\.now))
    on conflict (kind, organization_id) do update
       set payload = excluded.payload,
           cron = excluded.cron,
           time_zone = excluded.time_zone,
           jitter_seconds = excluded.jitter_seconds,
           catch_up = excluded.catch_up,
           enabled = excluded.enabled,
           next_run_at = case when s.cron = excluded.cron and s.time_zone = excluded.time_zone
                               and s.jitter_seconds = excluded.jitter_seconds and s.enabled
                              then s.next_run_at else excluded.next_run_at end
    """
}

/// Removes every recurring job of an organization.
struct DeleteSchedules: Statement {
  let organization: UUID
  static let sql: SQL<Self> = """
    delete from control.job_schedule
     where organization_id = \(\.organization)
    """
}

/// Makes one scheduler the leader until its transaction ends.
struct LeadSchedules: Statement {
  static let sql: SQL<Self> = "select pg_try_advisory_xact_lock(7306862947002)"
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}

/// Recurring jobs that are due.
struct DueSchedules: Statement {
  let now: Date
  let limit: Int
  static let sql: SQL<Self> = """
    select id, organization_id, kind, payload::text, cron, time_zone, jitter_seconds, catch_up, next_run_at
      from control.job_schedule
     where enabled
       and next_run_at <= \(\.now)
     order by next_run_at
     limit \(\.limit)
       for update
    """
  static func decode(_ row: inout RowReader) throws -> DueSchedule {
    DueSchedule(
      id: try row.next(), organization: try row.next(), kind: try row.next(),
      payload: try row.next(), cron: try row.next(), timeZone: try row.next(),
      jitterSeconds: try row.next(), catchUp: try row.next(), dueAt: try row.next())
  }
}

/// Moves a recurring job on; `lastRunAt` is null when this time was left out.
struct AdvanceSchedule: Statement {
  let id: UUID
  let nextRunAt: Date
  let lastRunAt: Date?
  static let sql: SQL<Self> = """
    update control.job_schedule
       set next_run_at = \(\.nextRunAt),
           last_run_at = coalesce(\(\.lastRunAt), last_run_at)
     where id = \(\.id)
    """
}

/// Switches a recurring job off that can never be due again.
struct DisableSchedule: Statement {
  let id: UUID
  static let sql: SQL<Self> = """
    update control.job_schedule
       set enabled = false
     where id = \(\.id)
    """
}
