import Database
import FoundationEssentials
import Platform
import Tenancy

/// The live session of a cookie, if its user may still sign in.
struct FindSession: Statement {
  let hash: [UInt8]
  let now: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select s.id, s.user_id, s.auth_time, s.acr, s.amr, s.created_at,
           s.expires_at
      from \(tenant).session s
     where s.token_hash = \(\.hash)
       and s.ended_at is null
       and (s.expires_at > \(\.now)) is true
       and (select u.status from \(tenant).user_account u where u.id = s.user_id) = 'active'
    """
  static func decode(_ row: inout RowReader) throws -> Session {
    Session(
      id: try row.next(), user: try row.next(), authenticatedAt: try row.next(),
      acr: try row.next(), amr: try row.next(), createdAt: try row.next(),
      expiresAt: try row.next())
  }
}

/// Whose a session is, or was.
struct FindSessionUser: Statement {
  let id: ID<Session>
  static let isPlannedOnce = true
  static let sql: SQL<Self> = "select user_id from \(tenant).session where id = \(\.id)"
  static func decode(_ row: inout RowReader) throws -> UserID { try row.next() }
}

/// Starts a session and notes the sign-in on the account.
struct StartSession: Statement {
  let id: ID<Session>
  let hash: [UInt8]
  let user: UserID
  let acr: String
  let amr: [String]
  let personal: [UInt8]?
  let now: Date
  let expiresAt: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    with account as (
      update \(tenant).user_account
         set last_sign_in_at = \(\.now)
       where id = \(\.user)
         and status = 'active'
      returning id
    )
    insert into \(tenant).session
           (id, token_hash, user_id, auth_time, acr, amr, personal, created_at, expires_at)
    select \(\.id), \(\.hash), id, \(\.now), \(\.acr), \(\.amr), \(\.personal), \(\.now), \(\.expiresAt)
      from account
    """
}

/// The same user signs in again: the cookie changes, what applications know as `sid` stays.
///
/// Without an active account nothing is renewed: every session has a user, so none is equal to nobody (decision 0016).
struct RenewSession: Statement {
  let id: ID<Session>
  let newHash: [UInt8]
  let user: UserID
  let acr: String
  let amr: [String]
  let personal: [UInt8]?
  let now: Date
  let expiresAt: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    with account as (
      update \(tenant).user_account
         set last_sign_in_at = \(\.now)
       where id = \(\.user)
         and status = 'active'
      returning id
    )
    update \(tenant).session
       set token_hash = \(\.newHash), auth_time = \(\.now), acr = \(\.acr), amr = \(\.amr),
           personal = \(\.personal), created_at = \(\.now), expires_at = \(\.expiresAt)
     where session.id = \(\.id)
       and session.user_id is not distinct from (select id from account)
       and session.ended_at is null
    """
}

/// Keeps a session that is in use from expiring.
struct ExtendSession: Statement {
  let id: ID<Session>
  let expiresAt: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    update \(tenant).session
       set expires_at = \(\.expiresAt)
     where id = \(\.id)
       and ended_at is null
    """
}
