import Database
import FoundationEssentials
import Platform
import Tenancy

/// Keeps a device authorization under its user code's digest; no row if the code is taken.
struct InsertDeviceCode: Statement {
  let hash: [UInt8]
  let payload: JSON
  let now: Date
  let expiresAt: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    insert into \(tenant).one_time_token (kind, hash, payload, created_at, expires_at)
    values ('device_code', \(\.hash), \(\.payload), \(\.now), \(\.expiresAt))
        on conflict (kind, hash) do nothing
    """
}

/// Notes a poll: one that comes too early makes the interval longer, in every process.
struct PollDeviceCode: Statement {
  let hash: [UInt8]
  let secretHash: String
  let client: ClientID
  let now: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    update \(tenant).one_time_token
       set payload = payload || jsonb_build_object(
             'polled_at', \(\.now)::timestamptz,
             'hurried',
             coalesce((payload ->> 'polled_at')::timestamptz
                        > \(\.now) - make_interval(secs => (payload ->> 'interval')::integer - 1), false),
             'interval',
             least(300, (payload ->> 'interval')::integer
                        + case when (payload ->> 'polled_at')::timestamptz
                                      > \(\.now) - make_interval(secs => (payload ->> 'interval')::integer - 1)
                               then 5 else 0 end))
     where kind = 'device_code'
       and hash = \(\.hash)
       and payload ->> 'secret_hash' = \(\.secretHash)
       and payload ->> 'client_id' = \(\.client)
    returning user_id, payload, expires_at, consumed_at
    """
  static func decode(_ row: inout RowReader) throws -> DeviceCode.Stored {
    try DeviceCode.Stored(&row)
  }
}

/// The authorization a user code stands for.
struct FindDeviceCode: Statement {
  let hash: [UInt8]
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select user_id, payload, expires_at, consumed_at
      from \(tenant).one_time_token
     where kind = 'device_code'
       and hash = \(\.hash)
    """
  static func decode(_ row: inout RowReader) throws -> DeviceCode.Stored {
    try DeviceCode.Stored(&row)
  }
}

/// Writes down what a person has decided, once.
struct DecideDeviceCode: Statement {
  let hash: [UInt8]
  let user: UserID
  let decision: JSON
  let now: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    update \(tenant).one_time_token
       set user_id = \(\.user), payload = payload || \(\.decision)
     where kind = 'device_code'
       and hash = \(\.hash)
       and consumed_at is null
       and (expires_at > \(\.now)) is true
       and payload ->> 'state' = 'pending'
    """
}

/// Turns an approved device code into a token family: consumes it and starts the family, in one statement.
///
/// The family belongs to no session: it is the device that is signed in, not the browser that approved.
struct ConsumeDeviceCode: Statement {
  let hash: [UInt8]
  let secretHash: String
  let client: ClientID
  let generation: Int32
  let expiresAt: Date
  let now: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    with code as (
      update \(tenant).one_time_token
         set consumed_at = \(\.now)
       where kind = 'device_code'
         and hash = \(\.hash)
         and consumed_at is null
         and (expires_at > \(\.now)) is true
         and payload ->> 'secret_hash' = \(\.secretHash)
         and payload ->> 'client_id' = \(\.client)
         and payload ->> 'state' = 'approved'
         and (select u.status
                from \(tenant).user_account u
               where u.id = one_time_token.user_id) = 'active'
      returning user_id, payload
    ), family as (
      insert into \(tenant).token_family
             (id, user_id, client_id, scope, auth_time, acr, amr, resources, generation, created_at,
              expires_at)
      select (payload ->> 'family_id')::uuid, user_id, payload ->> 'client_id', payload ->> 'scope',
             (payload ->> 'auth_time')::timestamptz, payload ->> 'acr',
             array(select jsonb_array_elements_text(payload -> 'amr')),
             array(select jsonb_array_elements_text(coalesce(payload -> 'resources', '[]'))),
             \(\.generation), \(\.now), \(\.expiresAt)
        from code
      returning id
    )
    select code.user_id
      from family, code
    """
  static func decode(_ row: inout RowReader) throws -> UserID { try row.next() }
}

extension DeviceCode.Stored {
  fileprivate init(_ row: inout RowReader) throws {
    self.init(
      user: try row.next(), code: try DeviceCode(row.next()), expiresAt: try row.next(),
      consumedAt: try row.next())
  }
}
