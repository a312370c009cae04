import Database
import FoundationEssentials
import Platform

struct InsertTrustedIssuer: Statement {
  let id: ID<TrustedIssuer>
  let issuer: String
  let metadata: JSON
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).trusted_issuer (id, issuer, metadata, version, created_at, updated_at)
    values (\(\.id), \(\.issuer), \(\.metadata), 1, \(\.now), \(\.now))
    """
}

/// By its `iss`, or by its id.
struct FindTrustedIssuer: Statement {
  let id: ID<TrustedIssuer>?
  let issuer: String?
  static let sql: SQL<Self> = """
    select id, issuer, metadata, version, created_at, updated_at
      from \(tenant).trusted_issuer
     where id = \(\.id)
        or issuer = \(\.issuer)
    """
  static func decode(_ row: inout RowReader) throws -> TrustedIssuer {
    try TrustedIssuer(row: &row)
  }
}

/// A page, oldest first.
struct ListTrustedIssuers: Statement {
  let after: ID<TrustedIssuer>?
  let limit: Int
  static let sql: SQL<Self> = """
    select id, issuer, metadata, version, created_at, updated_at
      from \(tenant).trusted_issuer
     where (\(\.after) is null or id > \(\.after))
     order by id
     limit \(\.limit)
    """
  static func decode(_ row: inout RowReader) throws -> TrustedIssuer {
    try TrustedIssuer(row: &row)
  }
}

/// No row if it is gone or has another version.
struct UpdateTrustedIssuer: Statement {
  let id: ID<TrustedIssuer>
  let version: Int
  let metadata: JSON
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).trusted_issuer
       set metadata = \(\.metadata), version = version + 1, updated_at = \(\.now)
     where id = \(\.id)
       and version = \(\.version)
    returning id, issuer, metadata, version, created_at, updated_at
    """
  static func decode(_ row: inout RowReader) throws -> TrustedIssuer {
    try TrustedIssuer(row: &row)
  }
}

struct DeleteTrustedIssuer: Statement {
  let id: ID<TrustedIssuer>
  static let sql: SQL<Self> = "delete from \(tenant).trusted_issuer where id = \(\.id)"
}

extension TrustedIssuer {
  fileprivate init(row: inout RowReader) throws {
    let (id, issuer): (ID<TrustedIssuer>, String) = (try row.next(), try row.next())
    let document: JSON = try row.next()
    guard let object = document.objectValue else {
      throw StoredValueError(column: "trusted_issuer.metadata")
    }
    self.init(
      id: id, issuer: issuer, metadata: try TrustedIssuerMetadata(stored: object),
      version: try row.next(), createdAt: try row.next(), updatedAt: try row.next())
  }
}
