import Database
import FoundationEssentials
import Platform

struct InsertClient: Statement {
  let id: ClientID
  let secrets: ClientSecrets
  let metadata: JSON
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).client
           (id, secret_hash, secret_sealed, registration_token_hash, metadata, status, version,
            created_at, updated_at)
    values (\(\.id), \(\.secrets.hash), \(\.secrets.sealed), \(\.secrets.registrationTokenHash),
            \(\.metadata), 'active', 1, \(\.now), \(\.now))
    """
}

struct FindClient: Statement {
  let id: ClientID
  static let sql: SQL<Self> = """
    select id, secret_hash, secret_sealed, registration_token_hash, metadata, status,
           version, created_at, updated_at
      from \(tenant).client
     where id = \(\.id)
    """
  static func decode(_ row: inout RowReader) throws -> Client { try Client(row: &row) }
}

/// The same, for a change in the same transaction.
struct LockClient: Statement {
  let id: ClientID
  static let sql: SQL<Self> = """
    select id, secret_hash, secret_sealed, registration_token_hash, metadata, status,
           version, created_at, updated_at
      from \(tenant).client
     where id = \(\.id)
       for update
    """
  static func decode(_ row: inout RowReader) throws -> Client { try Client(row: &row) }
}

/// A page of the clients in the order of their ids.
struct ListClients: Statement {
  let after: ClientID?
  let limit: Int
  static let sql: SQL<Self> = """
    select id, secret_hash, secret_sealed, registration_token_hash, metadata, status,
           version, created_at, updated_at
      from \(tenant).client
     where (\(\.after) is null or id > \(\.after))
     order by id
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> Client { try Client(row: &row) }
}

struct UpdateClient: Statement {
  let id: ClientID
  let secrets: ClientSecrets
  let metadata: JSON
  let status: ClientStatus
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).client
       set secret_hash = \(\.secrets.hash),
           secret_sealed = \(\.secrets.sealed),
           registration_token_hash = \(\.secrets.registrationTokenHash),
           metadata = \(\.metadata),
           status = \(\.status),
           version = version + 1,
           updated_at = \(\.now)
     where id = \(\.id)
    """
}

/// Lets one client after the other register, so that each counts those before it; everything else goes on.
struct LockRegistrations: Statement {
  static let sql: SQL<Self> = "lock table \(tenant).client in share update exclusive mode"
}

/// How many clients have registered themselves.
struct CountSelfRegisteredClients: Statement {
  static let sql: SQL<Self> = """
    select count(*) from \(tenant).client where registration_token_hash is not null
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

/// The client and what it was granted; access tokens that are out live for minutes and fail at
/// introspection, since their client is gone.
struct DeleteClient: Statement {
  let id: ClientID
  static let sql: SQL<Self> = """
    with families as (delete from \(tenant).token_family where client_id = \(\.id))
    delete from \(tenant).client where id = \(\.id)
    """
}

extension Client {
  convenience init(row: inout RowReader) throws {
    let id: ClientID = try row.next()
    let secrets = ClientSecrets(
      hash: try row.next(), sealed: try row.next(), registrationTokenHash: try row.next())
    let document: JSON = try row.next()
    guard let object = document.objectValue else {
      throw StoredValueError(column: "client.metadata")
    }
    self.init(
      id: id, metadata: try ClientMetadata(stored: object), status: try row.next(),
      secrets: secrets, version: try row.next(), createdAt: try row.next(),
      updatedAt: try row.next())
  }
}
