import Database
import FoundationEssentials
import Platform

struct InsertInitialAccessToken: Statement {
  let hash: [UInt8]
  let payload: JSON
  let now: Date
  let expiresAt: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).one_time_token (kind, hash, payload, created_at, expires_at)
    values ('initial_access_token', \(\.hash), \(\.payload), \(\.now), \(\.expiresAt))
    """
}

/// A page of those with uses left, in the order of creation.
struct ListInitialAccessTokens: Statement {
  let after: String?
  let limit: Int
  let now: Date
  static let sql: SQL<Self> = """
    select (payload ->> 'id')::uuid, (payload ->> 'uses_left')::integer, created_at, expires_at
      from \(tenant).one_time_token
     where kind = 'initial_access_token'
       and consumed_at is null
       and expires_at > \(\.now)
       and (\(\.after)::text is null or payload ->> 'id' > \(\.after))
     order by payload ->> 'id'
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> InitialAccessToken {
    let (id, uses): (ID<InitialAccessToken>, Int32) = (try row.next(), try row.next())
    return InitialAccessToken(
      id: id, usesLeft: Int(uses), createdAt: try row.next(), expiresAt: try row.next())
  }
}

struct FindInitialAccessToken: Statement {
  let hash: [UInt8]
  let now: Date
  static let sql: SQL<Self> = """
    select expires_at
      from \(tenant).one_time_token
     where kind = 'initial_access_token'
       and hash = \(\.hash)
       and consumed_at is null
       and expires_at > \(\.now)
    """
  static func decode(_ row: inout RowReader) throws -> Date { try row.next() }
}

/// Counts down; the last use consumes.
struct UseInitialAccessToken: Statement {
  let hash: [UInt8]
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).one_time_token
       set payload = jsonb_set(
             payload, '{uses_left}', to_jsonb((payload ->> 'uses_left')::integer - 1)),
           consumed_at = case when (payload ->> 'uses_left')::integer <= 1 then \(\.now) end
     where kind = 'initial_access_token'
       and hash = \(\.hash)
       and consumed_at is null
       and expires_at > \(\.now)
    """
}

struct DeleteInitialAccessToken: Statement {
  let id: String
  static let sql: SQL<Self> = """
    delete from \(tenant).one_time_token
     where kind = 'initial_access_token'
       and payload ->> 'id' = \(\.id)
       and consumed_at is null
    """
}
