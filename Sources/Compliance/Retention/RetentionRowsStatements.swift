import Database
import Tenancy

/// What a retention run says to one declared table; conditions are about the row `t`.
extension PersonalData {
  func retentionCount(_ condition: ComposedSQL) -> ComposedSQL {
    """
    select count(*)
      from \(tenant).\(table) as t
     where \(condition)
    """
  }

  /// The blocks the table has; no row if it is empty.
  var blockCount: ComposedSQL {
    """
    select pg_relation_size(t.tableoid::regclass) / current_setting('block_size')::bigint
      from \(tenant).\(table) as t
     limit 1
    """
  }

  func retentionBatch(_ window: RetentionWindow, _ condition: ComposedSQL) -> ComposedSQL {
    """
    delete from \(tenant).\(table) as t
     where t.ctid >= \(bind: "(\(window.start),0)")::tid
       and t.ctid < \(bind: "(\(window.end),0)")::tid
       and \(condition)
    """
  }

  func retentionSubjects(
    _ subject: Identifier, _ condition: ComposedSQL, limit: Int
  ) -> ComposedSQL {
    """
    select t.\(subject)
      from \(tenant).\(table) as t
     where \(condition)
     order by t.\(subject)
     limit \(bind: limit)
    """
  }
}
