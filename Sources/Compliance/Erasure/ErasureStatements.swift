import Database
import FoundationEssentials
import Platform
import Tenancy

/// The intent to erase, before anything is erased: a restored backup can be made to forget again.
struct InsertErasureIntent: Statement {
  let id: UUID
  let organization: TenantID
  let request: ID<DataRequest>
  let subject: UserID
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.erasure_ledger
      (id, organization_id, request_id, subject_id, state, created_at)
    values (\(\.id), \(\.organization), \(\.request), \(\.subject), 'intent', \(\.now))
    on conflict (request_id) do nothing
    """
}

struct CompleteErasure: Statement {
  let request: ID<DataRequest>
  let now: Date
  static let sql: SQL<Self> = """
    update control.erasure_ledger
       set state = 'done',
           completed_at = \(\.now)
     where request_id = \(\.request)
       and state = 'intent'
    """
}

/// An account with what opens its documents, kept from changing before the transaction ends.
struct LockSubject: Statement {
  let id: UserID
  static let sql: SQL<Self> = """
    select status, subject_key
      from \(tenant).user_account
     where id = \(\.id)
       for update
    """
  static func decode(_ row: inout RowReader) throws -> LockedSubject {
    LockedSubject(status: try row.next(), wrappedKey: try row.next())
  }
}

struct LockedSubject: Sendable {
  let status: UserStatus
  let wrappedKey: [UInt8]
}

/// Waits until no export of the subject is being written, and keeps others from beginning.
struct LockSubjectFiles: Statement {
  let key: Int
  static let sql: SQL<Self> = "select pg_advisory_xact_lock(\(\.key))::text"
}

/// Keeps an erasure from looking for files while one is being written; false while it does.
struct ShareSubjectFiles: Statement {
  let key: Int
  static let sql: SQL<Self> = "select pg_try_advisory_xact_lock_shared(\(\.key))"
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}

extension ID where Entity == User {
  /// The advisory lock that stands for the files of a person.
  var filesLock: Int {
    let bytes = bytes
    var key: UInt64 = 0
    for index in 0..<8 { key = key << 8 | UInt64(bytes[index] ^ bytes[index + 8]) }
    return Int(Int64(bitPattern: key))
  }
}
