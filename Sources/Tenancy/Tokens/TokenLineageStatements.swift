import Database
import FoundationEssentials
import Platform

/// Whether none of these tokens was revoked, and each of these clients may still act and was not revoked since.
struct FindLineageStatus: Statement {
  let tokens: [String]
  /// Each once.
  let clients: [String]
  let issuedAt: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select not exists (select from \(tenant).token_revocation where jti = any (\(\.tokens)))
           and (select count(*)
                  from \(tenant).client
                 where id = any (\(\.clients))
                   and status = 'active'
                   and (tokens_revoked_at is null or tokens_revoked_at < \(\.issuedAt)))
               = cardinality(\(\.clients))
    """
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}
