import Database
import FoundationEssentials
import Platform
import Tenancy

/// Turns a code into a token family: consumes it and starts the family, in one statement.
///
/// No row means that the code can't be used so; `FindAuthorizationCode` tells why.
struct ConsumeAuthorizationCode: Statement {
  let hash: [UInt8]
  let client: ClientID
  let redirectURI: String?
  let challenge: String?
  /// The narrower resources that are asked for; empty for all that were granted.
  let resources: [String]
  let generation: Int32
  let expiresAt: Date
  let now: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    with code as (
      update \(tenant).one_time_token
         set consumed_at = \(\.now)
       where kind = 'authorization_code'
         and hash = \(\.hash)
         and consumed_at is null
         and (expires_at > \(\.now)) is true
         and payload ->> 'client_id' = \(\.client)
         and payload ->> 'code_challenge' is not distinct from \(\.challenge)::text
         and (jsonb_array_length(coalesce(payload -> 'resources', '[]')) = 0
              or payload -> 'resources' @> to_jsonb(\(\.resources)::text[]))
         and (\(\.redirectURI)::text is null or payload ->> 'redirect_uri' = \(\.redirectURI))
         and (select u.status
                from \(tenant).user_account u
               where u.id = one_time_token.user_id) = 'active'
         and (select s.ended_at is null
                from \(tenant).session s
               where s.id = (one_time_token.payload ->> 'session_id')::uuid)
      returning user_id, payload
    ), family as (
      insert into \(tenant).token_family
             (id, user_id, client_id, session_id, scope, auth_time, acr, amr, claims, resources,
              generation, created_at, expires_at)
      select (payload ->> 'family_id')::uuid, user_id, payload ->> 'client_id',
             (payload ->> 'session_id')::uuid, payload ->> 'scope',
             (payload ->> 'auth_time')::timestamptz, payload ->> 'acr',
             array(select jsonb_array_elements_text(payload -> 'amr')), payload -> 'claims',
             array(select jsonb_array_elements_text(coalesce(payload -> 'resources', '[]'))),
             \(\.generation), \(\.now), \(\.expiresAt)
        from code
      returning id
    )
    select family.id, code.user_id, code.payload
      from family, code
    """
  static func decode(_ row: inout RowReader) throws -> AuthorizationCode.Redeemed {
    AuthorizationCode.Redeemed(
      family: try row.next(), user: try row.next(), grant: try AuthorizationCode(row.next()))
  }
}

/// A code as it is, to say why it was refused.
struct FindAuthorizationCode: Statement {
  let hash: [UInt8]
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select user_id, payload, expires_at, consumed_at
      from \(tenant).one_time_token
     where kind = 'authorization_code'
       and hash = \(\.hash)
       for update
    """
  static func decode(_ row: inout RowReader) throws -> AuthorizationCode.Stored {
    AuthorizationCode.Stored(
      user: try row.next(), grant: try AuthorizationCode(row.next()), expiresAt: try row.next(),
      consumedAt: try row.next())
  }
}

/// Rotates a family, or confirms the last rotation to a repeated request within the grace.
///
/// One statement and one row lock: of fifty requests with the same token the first moves the
/// generation on, and the others, waiting for its lock, find themselves within the grace.
///
/// Every row is found by its primary key, whatever Postgres knows of the tables (decision 0016): `is not distinct from` and
/// `is true` hide the client and the expiry from their indexes, and scalar subqueries are never turned into joins. A plan
/// made while the tables were small would otherwise read every family of the client until they are analysed.
struct RotateTokenFamily: Statement {
  let family: ID<TokenFamily>
  let presented: Int32
  let client: ClientID
  /// The narrower scope that is asked for; empty for all that was granted (RFC 6749 section 6).
  let scope: [String]
  /// The narrower resources that are asked for (RFC 8707 section 2.2); empty for all that were granted.
  let resources: [String]
  let graceStart: Date
  let now: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    update \(tenant).token_family
       set generation = \(\.presented) + 1,
           rotated_at = case when generation = \(\.presented) then \(\.now) else rotated_at end
     where id = \(\.family)
       and client_id is not distinct from \(\.client)
       and revoked_at is null
       and (expires_at > \(\.now)) is true
       and \(\.scope) <@ string_to_array(scope, ' ')
       and (cardinality(resources) = 0 or \(\.resources) <@ resources)
       and (generation = \(\.presented)
            or (generation = \(\.presented) + 1 and rotated_at >= \(\.graceStart)))
       and (select u.status
              from \(tenant).user_account u
             where u.id = token_family.user_id) = 'active'
       and ('offline_access' = any (string_to_array(scope, ' '))
            or (select s.ended_at
                  from \(tenant).session s
                 where s.id = token_family.session_id) is null)
    returning id, user_id, client_id, session_id, scope, auth_time, acr, amr, claims, resources,
              generation, rotated_at, expires_at
    """
  static func decode(_ row: inout RowReader) throws -> TokenFamily {
    TokenFamily(
      id: try row.next(), user: try row.next(), client: try row.next(), session: try row.next(),
      scope: try row.nextScope(), authenticatedAt: try row.next(), acr: try row.next(),
      amr: try row.next(), claims: ReleasedClaims(stored: try row.next()),
      resources: try row.next(), generation: try row.next(), rotatedAt: try row.next(),
      expiresAt: try row.next(), revokedAt: nil, isUserActive: true, isSessionEnded: false)
  }
}

/// A family as it is now; `for update`, so that a decision about it holds.
struct LockTokenFamily: Statement {
  let family: ID<TokenFamily>
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select f.id, f.user_id, f.client_id, f.session_id, f.scope, f.auth_time, f.acr, f.amr,
           f.claims, f.resources, f.generation, f.rotated_at, f.expires_at, f.revoked_at,
           (select u.status from \(tenant).user_account u where u.id = f.user_id) = 'active',
           (select s.ended_at from \(tenant).session s where s.id = f.session_id) is not null
      from \(tenant).token_family f
     where f.id = \(\.family)
       for update
    """
  static func decode(_ row: inout RowReader) throws -> TokenFamily {
    try TokenFamily(&row)
  }
}

/// A family as it is now, to be looked at only.
struct FindTokenFamily: Statement {
  let family: ID<TokenFamily>
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select f.id, f.user_id, f.client_id, f.session_id, f.scope, f.auth_time, f.acr, f.amr,
           f.claims, f.resources, f.generation, f.rotated_at, f.expires_at, f.revoked_at,
           (select u.status from \(tenant).user_account u where u.id = f.user_id) = 'active',
           (select s.ended_at from \(tenant).session s where s.id = f.session_id) is not null
      from \(tenant).token_family f
     where f.id = \(\.family)
    """
  static func decode(_ row: inout RowReader) throws -> TokenFamily {
    try TokenFamily(&row)
  }
}

/// The newest family of a user with a client in a session: what an ID token stands for.
struct FindLatestTokenFamily: Statement {
  let user: UserID
  let client: ClientID
  let session: ID<Session>?
  static let sql: SQL<Self> = """
    select f.id, f.user_id, f.client_id, f.session_id, f.scope, f.auth_time, f.acr, f.amr,
           f.claims, f.resources, f.generation, f.rotated_at, f.expires_at, f.revoked_at,
           u.status = 'active', s.ended_at is not null
      from \(tenant).token_family f
      join \(tenant).user_account u on u.id = f.user_id
      left join \(tenant).session s on s.id = f.session_id
     where f.user_id = \(\.user)
       and f.client_id = \(\.client)
       and f.session_id is not distinct from \(\.session)
     order by f.created_at desc
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> TokenFamily {
    try TokenFamily(&row)
  }
}

/// Starts a family that no code and no session stands behind; no row if the user is not active.
struct InsertTokenFamily: Statement {
  let id: ID<TokenFamily>
  let user: UserID
  let client: ClientID
  let scope: OAuthScope
  let acr: String
  let resources: [String]
  let now: Date
  let expiresAt: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    insert into \(tenant).token_family
           (id, user_id, client_id, scope, auth_time, acr, amr, resources, generation, created_at,
            expires_at)
    select \(\.id), id, \(\.client), \(\.scope.description), \(\.now), \(\.acr), '{}',
           \(\.resources), 0, \(\.now), \(\.expiresAt)
      from \(tenant).user_account
     where id = \(\.user)
       and status = 'active'
    """
}

extension TokenFamily {
  fileprivate init(_ row: inout RowReader) throws {
    self.init(
      id: try row.next(), user: try row.next(), client: try row.next(), session: try row.next(),
      scope: try row.nextScope(), authenticatedAt: try row.next(), acr: try row.next(),
      amr: try row.next(), claims: ReleasedClaims(stored: try row.next()),
      resources: try row.next(), generation: try row.next(), rotatedAt: try row.next(),
      expiresAt: try row.next(), revokedAt: try row.next(), isUserActive: try row.next(),
      isSessionEnded: try row.next())
  }
}

/// Ends one family; the first reason stays.
struct RevokeTokenFamily: Statement {
  let family: ID<TokenFamily>
  let reason: String
  let now: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    update \(tenant).token_family
       set revoked_at = \(\.now), revoked_reason = \(\.reason)
     where id = \(\.family)
       and revoked_at is null
    """
}

/// Ends every family of one user with one client.
struct RevokeTokenFamiliesOfClient: Statement {
  let user: UserID
  let client: ClientID
  let reason: String
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).token_family
       set revoked_at = \(\.now), revoked_reason = \(\.reason)
     where user_id = \(\.user)
       and client_id = \(\.client)
       and revoked_at is null
    """
}

extension RowReader {
  /// A stored scope; the database holds only what was parsed before.
  fileprivate mutating func nextScope() throws -> OAuthScope {
    guard let scope = OAuthScope(stored: try next()) else { throw AuthorizationCode.Malformed() }
    return scope
  }
}
