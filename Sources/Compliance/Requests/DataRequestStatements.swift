import Database
import FoundationEssentials
import Platform
import Tenancy

struct InsertRequest: Statement {
  let id: ID<DataRequest>
  let kind: DataRequestKind
  let state: DataRequestState
  let subject: UserID
  let channel: DataRequestChannel
  let now: Date
  let verifiedAt: Date?
  let dueAt: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).data_request
      (id, kind, state, subject_id, channel, received_at, verified_at, due_at)
    values
      (\(\.id), \(\.kind), \(\.state), \(\.subject), \(\.channel), \(\.now), \(\.verifiedAt), \(\.dueAt))
    """
}

/// The status of an account, kept from being deleted before the transaction ends.
struct HoldSubject: Statement {
  let id: UserID
  static let sql: SQL<Self> = """
    select status
      from \(tenant).user_account
     where id = \(\.id)
       for key share
    """
  static func decode(_ row: inout RowReader) throws -> UserStatus { try row.next() }
}

/// The newest request of a kind that is still open.
struct FindOpenRequest: Statement {
  let subject: UserID
  let kind: DataRequestKind
  static let sql: SQL<Self> = """
    select r.id, r.kind, r.state, r.subject_id, r.channel, r.received_at, r.verified_at, r.due_at,
           r.completed_at, r.report, r.error, p.id, p.sha256, p.size_bytes, p.downloads_left,
           p.created_at, p.expires_at
      from \(tenant).data_request as r
      left join \(tenant).export_package as p on p.request_id = r.id
     where r.subject_id = \(\.subject)
       and r.kind = \(\.kind)
       and r.state in ('received', 'verified', 'running')
     order by r.id desc
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> DataRequest { try DataRequest(&row) }
}

struct FindRequest: Statement {
  let id: ID<DataRequest>
  static let sql: SQL<Self> = """
    select r.id, r.kind, r.state, r.subject_id, r.channel, r.received_at, r.verified_at, r.due_at,
           r.completed_at, r.report, r.error, p.id, p.sha256, p.size_bytes, p.downloads_left,
           p.created_at, p.expires_at
      from \(tenant).data_request as r
      left join \(tenant).export_package as p on p.request_id = r.id
     where r.id = \(\.id)
    """
  static func decode(_ row: inout RowReader) throws -> DataRequest { try DataRequest(&row) }
}

/// A page of requests, newest first.
struct ListRequests: Statement {
  let subject: UserID?
  let kind: DataRequestKind?
  let state: DataRequestState?
  let before: ID<DataRequest>?
  let limit: Int
  static let sql: SQL<Self> = """
    select r.id, r.kind, r.state, r.subject_id, r.channel, r.received_at, r.verified_at, r.due_at,
           r.completed_at, r.report, r.error, p.id, p.sha256, p.size_bytes, p.downloads_left,
           p.created_at, p.expires_at
      from \(tenant).data_request as r
      left join \(tenant).export_package as p on p.request_id = r.id
     where (\(\.subject) is null or r.subject_id = \(\.subject))
       and (\(\.kind) is null or r.kind = \(\.kind))
       and (\(\.state) is null or r.state = \(\.state))
       and (\(\.before) is null or r.id < \(\.before))
     order by r.id desc
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> DataRequest { try DataRequest(&row) }
}

/// Locks a request for its job.
struct LockRequest: Statement {
  let id: ID<DataRequest>
  static let sql: SQL<Self> = """
    select id, kind, state, subject_id, channel, received_at, verified_at, due_at, completed_at, report,
           error, null::uuid, null::bytea, null::bigint, null::integer, null::timestamptz,
           null::timestamptz
      from \(tenant).data_request
     where id = \(\.id)
       for update
    """
  static func decode(_ row: inout RowReader) throws -> DataRequest { try DataRequest(&row) }
}

/// Says what has become of a request; null leaves the time and the report as they are.
struct MoveRequest: Statement {
  let id: ID<DataRequest>
  let state: DataRequestState
  let completedAt: Date?
  let report: JSON?
  let error: String?
  static let sql: SQL<Self> = """
    update \(tenant).data_request
       set state = \(\.state),
           completed_at = coalesce(\(\.completedAt), completed_at),
           report = coalesce(\(\.report), report),
           error = \(\.error)
     where id = \(\.id)
    """
}

/// Exports of somebody who is being erased will not be made any more.
struct RefuseExports: Statement {
  let subject: UserID
  let error: String
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).data_request
       set state = 'refused',
           completed_at = \(\.now),
           error = \(\.error)
     where subject_id = \(\.subject)
       and kind = 'export'
       and state in ('received', 'verified', 'running')
    """
}

/// Every export somebody has asked for; their files have the requests' names.
struct ExportRequestIDs: Statement {
  let subject: UserID
  static let sql: SQL<Self> = """
    select id
      from \(tenant).data_request
     where subject_id = \(\.subject)
       and kind = 'export'
    """
  static func decode(_ row: inout RowReader) throws -> ID<DataRequest> { try row.next() }
}

extension DataRequest {
  fileprivate init(_ row: inout RowReader) throws {
    id = try row.next()
    kind = try row.next()
    state = try row.next()
    subject = try row.next()
    channel = try row.next()
    receivedAt = try row.next()
    verifiedAt = try row.next()
    dueAt = try row.next()
    completedAt = try row.next()
    let report: JSON? = try row.next()
    self.report = report?.arrayValue?.compactMap(ErasureStep.init)
    error = try row.next()
    package = try ExportPackage(joined: &row, request: id)
  }
}
