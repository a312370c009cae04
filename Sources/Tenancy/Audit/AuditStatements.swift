import Database
import FoundationEssentials
import Platform

/// The counter of a new tenant; one row for ever.
struct InsertAuditHead: Statement {
  static let sql: SQL<Self> = "insert into \(tenant).audit_head (id, last_seq) values (1, 0)"
}

/// One event in the caller's transaction.
///
/// The update holds the counter until the transaction ends, so numbers have no gaps: record last.
struct InsertAuditEvent: Statement {
  let event: AuditRecord
  static let sql: SQL<Self> = """
    with head as (
           update \(tenant).audit_head
              set last_seq = last_seq + 1
            where id = 1
        returning last_seq)
    insert into \(tenant).audit_event
           (seq, id, occurred_at, action, outcome, actor_kind, actor_id, subject_id, request_id,
            detail, personal, commitment, commitment_key)
    select last_seq, \(\.event.id), \(\.event.occurredAt), \(\.event.action), \(\.event.outcome),
           \(\.event.actorKind), \(\.event.actorID), \(\.event.subject), \(\.event.requestID),
           \(\.event.detailJSON), \(\.event.personal), \(\.event.commitment),
           \(\.event.commitmentKey)
      from head
    """
}

/// A batch of one tenant, as columns.
///
/// Events that are there already are left out, so that a batch whose answer was lost can be
/// repeated; events about somebody who has been erased meanwhile arrive anonymised.
struct InsertAuditBatch: Statement {
  let ids: [ID<AuditEvent>]
  let times: [Date]
  let actions: [String]
  let outcomes: [String]
  let actorKinds: [String]
  let actorIDs: [String?]
  let subjects: [UserID?]
  let requestIDs: [String?]
  let details: [JSON]
  let personals: [[UInt8]?]
  let commitments: [[UInt8]]
  let commitmentKeys: [[UInt8]]

  init(_ events: [AuditRecord]) {
    ids = events.map(\.id)
    times = events.map(\.occurredAt)
    actions = events.map(\.action)
    outcomes = events.map(\.outcome)
    actorKinds = events.map(\.actorKind)
    actorIDs = events.map(\.actorID)
    subjects = events.map(\.subject)
    requestIDs = events.map(\.requestID)
    details = events.map(\.detailJSON)
    personals = events.map(\.personal)
    commitments = events.map(\.commitment)
    commitmentKeys = events.map(\.commitmentKey)
  }

  static let sql: SQL<Self> = """
    with given as (
           select *
             from unnest(\(\.ids), \(\.times), \(\.actions), \(\.outcomes), \(\.actorKinds),
                         \(\.actorIDs), \(\.subjects), \(\.requestIDs), \(\.details), \(\.personals),
                         \(\.commitments), \(\.commitmentKeys)) with ordinality
                  as e (id, occurred_at, action, outcome, actor_kind, actor_id, subject_id,
                        request_id, detail, personal, commitment, commitment_key, place)
            where not exists (select from \(tenant).audit_event as old where old.id = e.id)),
         fresh as (
           select given.*, row_number() over (order by place) as number,
                  subject_id is not null and subject.id is null as is_erased
             from given
                  left join \(tenant).user_account as subject
                         on subject.id = given.subject_id and subject.status <> 'erasing'),
         head as (
           update \(tenant).audit_head
              set last_seq = last_seq + (select count(*) from fresh)
            where id = 1
        returning last_seq - (select count(*) from fresh) as base)
    insert into \(tenant).audit_event
           (seq, id, occurred_at, action, outcome, actor_kind, actor_id, subject_id, request_id,
            detail, personal, commitment, commitment_key)
    select base + number, fresh.id, occurred_at, action, outcome, actor_kind,
           case when is_erased and actor_id = subject_id::text then null else actor_id end,
           case when is_erased then null else subject_id end,
           request_id, detail,
           case when is_erased then null else personal end,
           commitment,
           case when is_erased then null else commitment_key end
      from head, fresh
    """
}

extension AuditRecord {
  var detailJSON: JSON { .object(detail) }
}

struct FindAuditHead: Statement {
  static let sql: SQL<Self> = "select last_seq from \(tenant).audit_head where id = 1"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}
