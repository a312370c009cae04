import Database
import FoundationEssentials
import Platform

/// Adds a job; does nothing when its unique key is taken by one that is not finished.
struct InsertJob: Statement {
  let id: ID<JobRecord>
  let organization: UUID?
  let kind: String
  let payload: String
  let priority: Int
  let runAt: Date
  let attemptsMax: Int
  let uniqueKey: String?
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.job
      (id, organization_id, kind, payload, priority, state, run_at, attempt, attempt_max, unique_key,
       cancel_requested, created_at)
    values
      (\(\.id), \(\.organization), \(\.kind), \(\.payload)::text::jsonb, \(\.priority), 'available',
       \(\.runAt), 0, \(\.attemptsMax), \(\.uniqueKey), false, \(\.now))
    on conflict (kind, unique_key) where unique_key is not null and state <> 'dead' do nothing
    """
}

/// Adds many jobs of one kind without unique keys, for fan-outs.
struct InsertJobs: Statement {
  let ids: [UUID]
  let organizations: [UUID]
  let payloads: [String]
  let kind: String
  let priority: Int
  let attemptsMax: Int
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.job
      (id, organization_id, kind, payload, priority, state, run_at, attempt, attempt_max,
       cancel_requested, created_at)
    select n.id, n.organization_id, \(\.kind), n.payload::jsonb, \(\.priority), 'available', \(\.now), 0,
           \(\.attemptsMax), false, \(\.now)
      from unnest(\(\.ids)::uuid[], \(\.organizations)::uuid[], \(\.payloads)::text[])
           as n (id, organization_id, payload)
    """
}
