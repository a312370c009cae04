import Database
import FoundationEssentials
import Platform
import Tenancy

/// Takes a key that is free or expired.
///
/// The resource is filled in before the transaction ends.
struct ClaimIdempotencyKey: Statement {
  let keyHash: [UInt8]
  let organization: TenantID?
  let requestMAC: [UInt8]
  let now: Date
  let expiresAt: Date
  static let sql: SQL<Self> = """
    insert into control.idempotency_key as k
           (key_hash, organization_id, request_mac, resource_id, created_at, expires_at)
    values (\(\.keyHash), \(\.organization), \(\.requestMAC), '', \(\.now), \(\.expiresAt))
        on conflict (key_hash) do update
       set organization_id = excluded.organization_id,
           request_mac = excluded.request_mac,
           resource_id = excluded.resource_id,
           sealed_secret = null,
           created_at = excluded.created_at,
           expires_at = excluded.expires_at
     where k.expires_at <= \(\.now)
    """
}

struct CompleteIdempotencyKey: Statement {
  let keyHash: [UInt8]
  let resource: String
  let sealedSecret: [UInt8]?
  static let sql: SQL<Self> = """
    update control.idempotency_key
       set resource_id = \(\.resource),
           sealed_secret = \(\.sealedSecret)
     where key_hash = \(\.keyHash)
    """
}

struct FindIdempotencyKey: Statement {
  let keyHash: [UInt8]
  let now: Date
  static let sql: SQL<Self> = """
    select request_mac, resource_id, sealed_secret
      from control.idempotency_key
     where key_hash = \(\.keyHash)
       and expires_at > \(\.now)
    """
  static func decode(_ row: inout RowReader) throws -> StoredIdempotencyKey {
    StoredIdempotencyKey(
      requestMAC: try row.next(), resource: try row.next(), sealedSecret: try row.next())
  }
}

/// Forgets keys that have expired, a batch at a time.
struct DeleteExpiredIdempotencyKeys: Statement {
  let now: Date
  let limit: Int
  static let sql: SQL<Self> = """
    delete from control.idempotency_key
     where key_hash in (select key_hash
                          from control.idempotency_key
                         where expires_at <= \(\.now)
                         order by expires_at
                         limit \(\.limit))
    """
}

/// What is remembered of a request with a key.
struct StoredIdempotencyKey: Sendable {
  let requestMAC: [UInt8]
  let resource: String
  let sealedSecret: [UInt8]?
}
