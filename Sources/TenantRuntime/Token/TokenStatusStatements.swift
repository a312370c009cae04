import Database
import FoundationEssentials
import Platform
import Tenancy

/// Whether an access token that descends from a user's grant still counts; no row if the grant is gone.
///
/// By primary keys only, as ``RotateTokenFamily``.
struct FindTokenStatus: Statement {
  let family: ID<TokenFamily>
  let jti: String
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select f.revoked_at is null
           and (select u.status from \(tenant).user_account u where u.id = f.user_id) = 'active'
           and ('offline_access' = any (string_to_array(f.scope, ' '))
                or (select s.ended_at from \(tenant).session s where s.id = f.session_id) is null)
           and not exists (select from \(tenant).token_revocation r where r.jti = \(\.jti))
      from \(tenant).token_family f
     where f.id = \(\.family)
    """
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}

/// The same with what the userinfo endpoint answers, in one round trip.
///
/// Claims that were asked for by name are for the client that asked, not for one that exchanged its token.
struct FindUserInfo: Statement {
  let family: ID<TokenFamily>
  let client: ClientID
  let jti: String
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select f.revoked_at is null
           and u.status = 'active'
           and ('offline_access' = any (string_to_array(f.scope, ' '))
                or (select s.ended_at from \(tenant).session s where s.id = f.session_id) is null)
           and not exists (select from \(tenant).token_revocation r where r.jti = \(\.jti)),
           case when f.client_id = \(\.client) then f.claims end, u.id, u.subject_key, u.profile, u.updated_at
      from \(tenant).token_family f
           cross join lateral (
             select id, status, subject_key, profile, updated_at
               from \(tenant).user_account
              where id = f.user_id
             offset 0) as u
     where f.id = \(\.family)
    """
  static func decode(_ row: inout RowReader) throws -> StoredUserInfo {
    StoredUserInfo(
      isAlive: try row.next(), claims: ReleasedClaims(stored: try row.next()),
      user: try row.next(), subjectKey: try row.next(),
      profile: try row.next(), updatedAt: try row.next())
  }
}

struct StoredUserInfo: Sendable {
  let isAlive: Bool
  /// What was asked for by name.
  let claims: ReleasedClaims
  let user: UserID
  let subjectKey: [UInt8]
  let profile: [UInt8]
  let updatedAt: Date
}

/// Whether a token that belongs to no user still counts: neither it nor everything of its client was
/// revoked.
///
/// Tokens know the second they were issued in: those of the second of the revocation are void as well.
struct FindClientTokenStatus: Statement {
  let jti: String
  let client: ClientID
  let issuedAt: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select not exists (select from \(tenant).token_revocation where jti = \(\.jti))
           and not exists (
                 select from \(tenant).client
                  where id = \(\.client)
                    and tokens_revoked_at >= \(\.issuedAt))
    """
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}

/// Revokes one access token; a second time changes nothing.
struct InsertTokenRevocation: Statement {
  let jti: String
  let now: Date
  let expiresAt: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    insert into \(tenant).token_revocation (jti, created_at, expires_at)
    values (\(\.jti), \(\.now), \(\.expiresAt))
        on conflict (jti) do nothing
    """
}
