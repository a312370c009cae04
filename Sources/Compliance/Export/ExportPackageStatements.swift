import Database
import FoundationEssentials
import Platform
import Tenancy

/// The package of a request, once and for all: a takeover that comes too late inserts nothing.
struct InsertPackage: Statement {
  let id: ID<ExportPackage>
  let request: ID<DataRequest>
  let user: UserID
  let sha256: [UInt8]
  let sizeBytes: Int
  let downloads: Int
  let now: Date
  let expiresAt: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).export_package
      (id, request_id, user_id, sha256, size_bytes, downloads_left, created_at, expires_at)
    values
      (\(\.id), \(\.request), \(\.user), \(\.sha256), \(\.sizeBytes), \(\.downloads), \(\.now),
       \(\.expiresAt))
    on conflict (request_id) do nothing
    """
}

struct FindPackage: Statement {
  let id: ID<ExportPackage>
  static let sql: SQL<Self> = """
    select id, sha256, size_bytes, downloads_left, created_at, expires_at, user_id
      from \(tenant).export_package
     where id = \(\.id)
    """
  static func decode(_ row: inout RowReader) throws -> HeldPackage { try HeldPackage(&row) }
}

/// Uses one download up, if there is one and it is not too late; the row is proof that it was the last.
struct ConsumeDownload: Statement {
  let id: ID<ExportPackage>
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).export_package
       set downloads_left = downloads_left - 1
     where id = \(\.id)
       and downloads_left > 0
       and expires_at > \(\.now)
    returning id, sha256, size_bytes, downloads_left, created_at, expires_at, user_id
    """
  static func decode(_ row: inout RowReader) throws -> HeldPackage { try HeldPackage(&row) }
}

/// Packages whose time is over.
struct ExpiredPackages: Statement {
  let before: Date
  let limit: Int
  static let sql: SQL<Self> = """
    select id
      from \(tenant).export_package
     where expires_at < \(\.before)
     order by expires_at
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> ID<ExportPackage> { try row.next() }
}

struct DeletePackages: Statement {
  let ids: [ID<ExportPackage>]
  static let sql: SQL<Self> = """
    delete from \(tenant).export_package
     where id = any (\(\.ids))
    """
}

/// Which of these files belong to a package, or to an export that is still to be made.
struct KnownPackages: Statement {
  let ids: [UUID]
  static let sql: SQL<Self> = """
    select id
      from \(tenant).export_package
     where id = any (\(\.ids))
     union
    select id
      from \(tenant).data_request
     where id = any (\(\.ids))
       and state in ('received', 'verified', 'running')
    """
  static func decode(_ row: inout RowReader) throws -> UUID { try row.next() }
}

/// A package with whose it is.
struct HeldPackage: Sendable {
  let package: ExportPackage
  let user: UserID

  init(_ row: inout RowReader) throws {
    package = ExportPackage(
      id: try row.next(), sha256: try row.next(), sizeBytes: try row.next(),
      downloadsLeft: try row.next(), createdAt: try row.next(), expiresAt: try row.next())
    user = try row.next()
  }
}

/// An account with what opens its documents.
struct ReadSubject: Statement {
  let id: UserID
  static let sql: SQL<Self> = """
    select status, subject_key
      from \(tenant).user_account
     where id = \(\.id)
    """
  static func decode(_ row: inout RowReader) throws -> LockedSubject {
    LockedSubject(status: try row.next(), wrappedKey: try row.next())
  }
}
