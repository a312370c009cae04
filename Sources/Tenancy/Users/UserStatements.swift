import Database
import FoundationEssentials
import Platform

struct InsertUser: Statement {
  let id: UserID
  let subjectKey: [UInt8]
  let profile: [UInt8]
  let index: UserIndex
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).user_account
           (id, status, subject_key, profile, username_index, email_index, phone_index, version,
            created_at, updated_at)
    values (\(\.id), 'active', \(\.subjectKey), \(\.profile), \(\.index.username),
            \(\.index.email), \(\.index.phone), 1, \(\.now), \(\.now))
    """
}

/// Also replaces a password that is there.
///
/// Nothing happens to an account that is being erased.
struct SetPassword: Statement {
  let user: UserID
  let hash: String
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).credential (user_id, kind, secret, created_at, updated_at)
    select id, 'password', \(\.hash), \(\.now), \(\.now)
      from \(tenant).user_account
     where id = \(\.user)
       and status <> 'erasing'
        on conflict (user_id, kind) do update
       set secret = excluded.secret, updated_at = excluded.updated_at
    """
}

struct FindUser: Statement {
  let id: UserID
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select id, status, subject_key, profile, version, created_at, updated_at, last_sign_in_at
      from \(tenant).user_account
     where id = \(\.id)
    """
  static func decode(_ row: inout RowReader) throws -> StoredUser { try StoredUser(row: &row) }
}

/// The same, for a change in the same transaction.
struct LockUser: Statement {
  let id: UserID
  static let sql: SQL<Self> = """
    select id, status, subject_key, profile, version, created_at, updated_at, last_sign_in_at
      from \(tenant).user_account
     where id = \(\.id)
       for update
    """
  static func decode(_ row: inout RowReader) throws -> StoredUser { try StoredUser(row: &row) }
}

struct FindUserByEmail: Statement {
  let index: [UInt8]
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select id, status, subject_key, profile, version, created_at, updated_at, last_sign_in_at
      from \(tenant).user_account
     where email_index = \(\.index)
    """
  static func decode(_ row: inout RowReader) throws -> StoredUser { try StoredUser(row: &row) }
}

struct FindUserByUsername: Statement {
  let index: [UInt8]
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select id, status, subject_key, profile, version, created_at, updated_at, last_sign_in_at
      from \(tenant).user_account
     where username_index = \(\.index)
    """
  static func decode(_ row: inout RowReader) throws -> StoredUser { try StoredUser(row: &row) }
}

/// The account somebody names at sign-in, with its password, in one round trip.
///
/// An e-mail address wins over a user name of the same spelling: it is the one that can be
/// verified.
struct FindSignInCandidate: Statement {
  let email: [UInt8]?
  let username: [UInt8]?
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select account.id, account.status, account.subject_key, account.profile, account.version,
           account.created_at, account.updated_at, account.last_sign_in_at,
           (select secret from \(tenant).credential where user_id = account.id and kind = 'password')
      from \(tenant).user_account as account
     where account.id = coalesce(
             (select id from \(tenant).user_account where email_index = \(\.email)),
             (select id from \(tenant).user_account where username_index = \(\.username)))
    """
  static func decode(_ row: inout RowReader) throws -> StoredSignInCandidate {
    StoredSignInCandidate(user: try StoredUser(row: &row), secret: try row.next())
  }
}

/// The password of one account, for a fresh check of somebody who is signed in.
struct FindSignInCandidateByID: Statement {
  let id: UserID
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select account.id, account.status, account.subject_key, account.profile, account.version,
           account.created_at, account.updated_at, account.last_sign_in_at,
           (select secret from \(tenant).credential where user_id = account.id and kind = 'password')
      from \(tenant).user_account as account
     where account.id = \(\.id)
    """
  static func decode(_ row: inout RowReader) throws -> StoredSignInCandidate {
    StoredSignInCandidate(user: try StoredUser(row: &row), secret: try row.next())
  }
}

struct StoredSignInCandidate: Sendable {
  let user: StoredUser
  let secret: String?
}

/// A page of the accounts, oldest first.
struct ListUsers: Statement {
  let after: UserID?
  let limit: Int
  static let sql: SQL<Self> = """
    select id, status, subject_key, profile, version, created_at, updated_at, last_sign_in_at
      from \(tenant).user_account
     where (\(\.after) is null or id > \(\.after))
       and status <> 'erasing'
     order by id
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> StoredUser { try StoredUser(row: &row) }
}

struct UpdateUser: Statement {
  let id: UserID
  let status: UserStatus
  let profile: [UInt8]
  let index: UserIndex
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).user_account
       set status = \(\.status),
           profile = \(\.profile),
           username_index = \(\.index.username),
           email_index = \(\.index.email),
           phone_index = \(\.index.phone),
           version = version + 1,
           updated_at = \(\.now)
     where id = \(\.id)
    """
}

/// The account can't be found by anything but its id from here on; the rest is the erasure's work.
struct MarkUserErasing: Statement {
  let id: UserID
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).user_account
       set status = 'erasing',
           username_index = null,
           email_index = null,
           phone_index = null,
           version = version + 1,
           updated_at = \(\.now)
     where id = \(\.id)
       and status <> 'erasing'
    """
}

/// The blind indexes of one account's claims.
struct UserIndex: Sendable {
  let username: [UInt8]?
  let email: [UInt8]?
  let phone: [UInt8]?

  init(_ claims: Claims, key: TenantKey) {
    username = claims.username.flatMap { key.blindIndex(.username, $0) }
    email = claims.email.flatMap { key.blindIndex(.email, $0) }
    phone = claims.phoneNumber.flatMap { key.blindIndex(.phone, $0) }
  }
}

extension StoredUser {
  init(row: inout RowReader) throws {
    self.init(
      id: try row.next(), status: try row.next(), subjectKey: try row.next(),
      profile: try row.next(), version: try row.next(), createdAt: try row.next(),
      updatedAt: try row.next(), lastSignInAt: try row.next())
  }
}
