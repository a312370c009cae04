import Database
import Platform
import Tenancy

/// A page of the trail with the keys of its subjects.
struct ListAuditEvents: Statement {
  let action: String?
  let subject: UserID?
  let before: Int
  let limit: Int
  static let sql: SQL<Self> = """
    select e.seq, e.id, e.occurred_at, e.action, e.outcome, e.actor_kind, e.actor_id, e.subject_id,
           e.request_id, e.detail, e.personal, u.subject_key
      from \(tenant).audit_event as e
      left join \(tenant).user_account as u on u.id = e.subject_id
     where e.seq < \(\.before)
       and (\(\.action) is null or e.action = \(\.action))
       and (\(\.subject) is null or e.subject_id = \(\.subject))
     order by e.seq desc
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> SealedAuditEntry {
    let entry = AuditEntry(
      seq: try row.next(), id: try row.next(), time: try row.next(), action: try row.next(),
      outcome: try row.next(), actorKind: try row.next(), actorID: try row.next(),
      subject: try row.next(), requestID: try row.next(), detail: try row.next(), personal: nil)
    return SealedAuditEntry(
      entry: entry, personal: try row.next(), subjectKey: try row.next())
  }
}
