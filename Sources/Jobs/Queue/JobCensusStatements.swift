import Database
import FoundationEssentials

/// Counts the queue; kinds come from this product, but a bound costs nothing.
struct CountJobs: Statement {
  let now: Date
  static let sql: SQL<Self> = """
    select kind, case when state = 'available' and run_at > \(\.now) then 'scheduled' else state end,
           count(*), greatest(extract(epoch from \(\.now)::timestamptz - min(run_at)), 0)::double precision
      from control.job
     group by 1, 2
     order by 1, 2
     limit 256
    """
  static func decode(_ row: inout RowReader) throws -> JobCount {
    JobCount(
      kind: try row.next(), state: try row.next(), count: try row.next(),
      oldestSeconds: try row.next())
  }
}
