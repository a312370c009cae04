import Database
import FoundationEssentials
import Platform

/// The names of the partitions of finished jobs.
struct FinishedPartitions: Statement {
  static let sql: SQL<Self> = """
    select c.relname::text
      from pg_catalog.pg_inherits as i
      join pg_catalog.pg_class as c on c.oid = i.inhrelid
     where i.inhparent = 'control.job_finished'::regclass
     order by c.relname
    """
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

/// Deletes old finished jobs that are not in a partition of their day.
struct PruneFinishedJobs: Statement {
  let before: Date
  let limit: Int
  static let sql: SQL<Self> = """
    delete from control.job_finished_default
     where (id, finished_at) in (select id, finished_at
                                   from control.job_finished_default
                                  where finished_at < \(\.before)
                                  limit \(\.limit))
    """
}
