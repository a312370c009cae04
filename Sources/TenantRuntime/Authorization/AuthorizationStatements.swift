import Database
import FoundationEssentials
import Platform
import Tenancy

/// Takes back the codes of a user for one client, its devices' too, that were not used yet.
///
/// Run before the families are revoked: it waits for a code that is being used, so that the family it
/// starts is there to be revoked.
struct DeleteAuthorizationCodes: Statement {
  let user: UserID
  let client: ClientID
  static let sql: SQL<Self> = """
    delete from \(tenant).one_time_token
     where kind in ('authorization_code', 'device_code')
       and user_id = \(\.user)
       and payload ->> 'client_id' = \(\.client)
       and consumed_at is null
    """
}

/// Keeps a code's digest and what it stands for.
struct InsertAuthorizationCode: Statement {
  let hash: [UInt8]
  let user: UserID
  let payload: JSON
  let now: Date
  let expiresAt: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    insert into \(tenant).one_time_token (kind, hash, user_id, payload, created_at, expires_at)
    values ('authorization_code', \(\.hash), \(\.user), \(\.payload), \(\.now), \(\.expiresAt))
    """
}
