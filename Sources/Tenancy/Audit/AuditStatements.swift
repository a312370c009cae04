import Database
import FoundationEssentials
import Platform

/// The counter of a new tenant; one row for ever.
struct InsertAuditHead: Statement {
  static let sql: SQL<Self> = "insert into \(tenant).audit_head (id, last_seq) values (1, 0)"
}

/// A batch of one tenant, as columns.
///
/// Events that are there already are left out, so that a batch whose answer was lost can be
/// repeated. Events about somebody who has been erased, or is being erased, arrive anonymised: the
/// subjects are locked before they are looked at, so that an erasure that comes first is seen, and
/// one that comes later finds the events. First the subjects, then the counter: whoever changes an
/// account takes the locks in this order too.
///
/// The update holds the counter until the transaction ends, so numbers have no gaps.
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
         living as (
           select id
             from \(tenant).user_account
            where id = any (\(\.subjects))
              and status <> 'erasing'
            order by id
              for key share),
         fresh as (
           select given.*, row_number() over (order by place) as number,
                  subject_id is not null and living.id is null as is_erased
             from given
                  left join living on living.id = given.subject_id),
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

extension Database {
  /// Writes events of one tenant, each once.
  func insert(_ records: [AuditRecord], in schema: TenantSchema) async throws {
    let affected = try await run(InsertAuditBatch(records), in: schema)
    // Fewer only when an earlier attempt has written them; none at all needs a look at the counter.
    if affected == 0, try await first(FindAuditHead(), in: schema) == nil {
      throw AuditError.noHead
    }
  }
}

struct FindAuditHead: Statement {
  static let sql: SQL<Self> = "select last_seq from \(tenant).audit_head where id = 1"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}
