import Database
import FoundationEssentials
import Platform

/// The counter of a new tenant; one row for ever.
struct InsertAuditHead: Statement {
  static let sql: SQL<Self> = "insert into \(tenant).audit_head (id, last_seq) values (1, 0)"
}

/// Events of one tenant, as columns.
struct AuditColumns: Sendable {
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
}

/// A batch of new events of one tenant.
///
/// Events about somebody who has been erased, or is being erased, arrive anonymised: the subjects
/// are locked before they are looked at, so that an erasure that comes first is seen, and one that
/// comes later finds the events. First the subjects, then the counter, which looks among them for
/// the nil UUID (RFC 9562 section 5.9) and so waits for all: whoever changes an account takes the
/// locks in this order too.
///
/// The update holds the counter until the transaction ends, so numbers have no gaps. Nothing looks
/// into the table of events, however long the plan is kept that was made while it was empty: the
/// key refuses an event that is there already.
struct InsertAuditBatch: Statement {
  let columns: AuditColumns
  let count: Int

  init(_ events: [AuditRecord]) {
    columns = AuditColumns(events)
    count = events.count
  }

  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    with living as materialized (
           select id
             from \(tenant).user_account
            where id = any (\(\.columns.subjects))
              and status <> 'erasing'
            order by id
              for key share),
         head as (
           update \(tenant).audit_head
              set last_seq = last_seq + \(\.count)
            where id = 1
              and not exists (
                    select from living where id = '00000000-0000-0000-0000-000000000000')
        returning last_seq - \(\.count) as base),
         given as (
           select generate_series(1, \(\.count)) as number, unnest(\(\.columns.ids)) as id,
                  unnest(\(\.columns.times)) as occurred_at, unnest(\(\.columns.actions)) as action,
                  unnest(\(\.columns.outcomes)) as outcome,
                  unnest(\(\.columns.actorKinds)) as actor_kind,
                  unnest(\(\.columns.actorIDs)) as actor_id,
                  unnest(\(\.columns.subjects)) as subject_id,
                  unnest(\(\.columns.requestIDs)) as request_id,
                  unnest(\(\.columns.details)) as detail, unnest(\(\.columns.personals)) as personal,
                  unnest(\(\.columns.commitments)) as commitment,
                  unnest(\(\.columns.commitmentKeys)) as commitment_key),
         fresh as (
           select given.*, subject_id is not null and living.id is null as is_erased
             from given
                  left join living on living.id = given.subject_id)
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

/// The same for a batch of which some may have arrived already: its answer was lost.
struct InsertMissingAuditEvents: Statement {
  let columns: AuditColumns

  init(_ events: [AuditRecord]) { columns = AuditColumns(events) }

  static let sql: SQL<Self> = """
    with given as (
           select *
             from unnest(\(\.columns.ids), \(\.columns.times), \(\.columns.actions), \(\.columns.outcomes), \(\.columns.actorKinds),
                         \(\.columns.actorIDs), \(\.columns.subjects), \(\.columns.requestIDs), \(\.columns.details), \(\.columns.personals),
                         \(\.columns.commitments), \(\.columns.commitmentKeys)) with ordinality
                  as e (id, occurred_at, action, outcome, actor_kind, actor_id, subject_id,
                        request_id, detail, personal, commitment, commitment_key, place)
            where not exists (select from \(tenant).audit_event as old where old.id = e.id)),
         living as (
           select id
             from \(tenant).user_account
            where id = any (\(\.columns.subjects))
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
    do {
      guard try await run(InsertAuditBatch(records), in: schema) > 0 else {
        throw AuditError.noHead
      }
    } catch let error as DatabaseError where error.isAuditEventThere {
      // An earlier attempt has written some of them, or all.
      try await run(InsertMissingAuditEvents(records), in: schema)
    }
  }
}

extension DatabaseError {
  /// Whether an event of the batch is in the trail already.
  var isAuditEventThere: Bool {
    sqlState == .uniqueViolation && constraint == "audit_event_id_key"
  }
}

struct FindAuditHead: Statement {
  static let sql: SQL<Self> = "select last_seq from \(tenant).audit_head where id = 1"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}
