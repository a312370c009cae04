import Database
import FoundationEssentials
import Platform
import Tenancy

/// Keeps a code's digest and what it stands for.
struct InsertAuthorizationCode: Statement {
  let hash: [UInt8]
  let user: UserID
  let payload: JSON
  let now: Date
  let expiresAt: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).one_time_token (kind, hash, user_id, payload, created_at, expires_at)
    values ('authorization_code', \(\.hash), \(\.user), \(\.payload), \(\.now), \(\.expiresAt))
    """
}
