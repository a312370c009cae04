package import Database
import FoundationEssentials
import Platform

/// The live sessions of a user, the newest sign-in first.
struct ListSessions: Statement {
  let user: UserID
  let now: Date
  static let sql: SQL<Self> = """
    select id, user_id, auth_time, acr, amr, created_at, expires_at, personal
      from \(tenant).session
     where user_id = \(\.user)
       and ended_at is null
       and expires_at > \(\.now)
     order by auth_time desc, id desc
    """
  static func decode(_ row: inout RowReader) throws -> StoredSession {
    StoredSession(
      session: Session(
        id: try row.next(), user: try row.next(), authenticatedAt: try row.next(),
        acr: try row.next(), amr: try row.next(), createdAt: try row.next(),
        expiresAt: try row.next()),
      personal: try row.next())
  }
}

struct StoredSession: Sendable {
  let session: Session
  /// Sealed under the subject key.
  let personal: [UInt8]?
}

/// Ends sessions of a user: one, or all but one; what has ended stays as it is.
struct EndSessions: Statement {
  let user: UserID
  let only: ID<Session>?
  let except: ID<Session>?
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).session
       set ended_at = \(\.now)
     where user_id = \(\.user)
       and (\(\.only) is null or id = \(\.only))
       and (\(\.except) is null or id <> \(\.except))
       and ended_at is null
    returning id
    """
  static func decode(_ row: inout RowReader) throws -> UUID { try row.next() }
}

/// Takes back the codes of sessions that have not been used yet.
///
/// Run before the families are revoked: it waits for a code that is being used, so that the family it
/// starts is there to be revoked.
struct DeleteCodesOfSessions: Statement {
  let user: UserID
  let sessions: [UUID]
  static let sql: SQL<Self> = """
    delete from \(tenant).one_time_token
     where user_id = \(\.user)
       and (payload ->> 'session_id')::uuid = any (\(\.sessions))
       and consumed_at is null
    """
}

/// The same for every session of a user, and for what belongs to none.
struct DeleteCodesOfUser: Statement {
  let user: UserID
  static let sql: SQL<Self> = """
    delete from \(tenant).one_time_token
     where user_id = \(\.user)
       and consumed_at is null
    """
}

/// The same for one application.
struct DeleteCodesOfClient: Statement {
  let client: ClientID
  let now: Date
  static let sql: SQL<Self> = """
    delete from \(tenant).one_time_token
     where expires_at > \(\.now)
       and payload ->> 'client_id' = \(\.client)
       and consumed_at is null
    """
}

/// Ends the grants of sessions.
///
/// Those with `offline_access` outlive a sign-out (OpenID Connect Core section 11), not a revocation.
struct RevokeTokenFamiliesOfSessions: Statement {
  let sessions: [UUID]
  let includesOffline: Bool
  let reason: GrantRevocationReason
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).token_family
       set revoked_at = \(\.now), revoked_reason = \(\.reason)
     where session_id = any (\(\.sessions))
       and revoked_at is null
       and (\(\.includesOffline) or not 'offline_access' = any (string_to_array(scope, ' ')))
    """
}

/// Ends whatever applications hold of a person (RFC 9700 section 4.14.2).
struct RevokeTokenFamiliesOfUser: Statement {
  let user: UserID
  let reason: GrantRevocationReason
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).token_family
       set revoked_at = \(\.now), revoked_reason = \(\.reason)
     where user_id = \(\.user)
       and revoked_at is null
    """
}

/// Ends whatever one application holds of anybody.
struct RevokeAllTokenFamiliesOfClient: Statement {
  let client: ClientID
  let reason: GrantRevocationReason
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).token_family
       set revoked_at = \(\.now), revoked_reason = \(\.reason)
     where client_id = \(\.client)
       and revoked_at is null
    """
}

/// Voids what an application got for itself, which is stored nowhere; false if there is no such one.
struct RevokeClientTokens: Statement {
  let client: ClientID
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).client
       set tokens_revoked_at = \(\.now)
     where id = \(\.client)
    """
}

/// The applications that sessions have signed in to and that want to know of their end.
struct FindSessionClients: Statement {
  let sessions: [UUID]
  static let sql: SQL<Self> = """
    select distinct f.session_id, f.user_id, f.client_id, c.metadata
      from \(tenant).token_family f
      join \(tenant).client c on c.id = f.client_id and c.status = 'active'
     where f.session_id = any (\(\.sessions))
       and (c.metadata ? 'backchannel_logout_uri' or c.metadata ? 'frontchannel_logout_uri')
    """
  static func decode(_ row: inout RowReader) throws -> SessionClient {
    let (session, user, client): (ID<Session>, UserID, ClientID) = (
      try row.next(), try row.next(), try row.next()
    )
    let document: JSON = try row.next()
    return SessionClient(
      session: session, user: user, client: client,
      logout: try ClientMetadata(stored: document.objectValue ?? [:]).logout)
  }
}

/// The wrapped key of a user, to seal the personal part of an event about them.
package struct FindSubjectKey: Statement {
  let user: UserID
  package static let isPlannedOnce = true
  package static let sql: SQL<Self> = """
    select subject_key
      from \(tenant).user_account
     where id = \(\.user)
       and status <> 'erasing'
    """
  package init(user: UserID) { self.user = user }
  package static func decode(_ row: inout RowReader) throws -> [UInt8] { try row.next() }
}
