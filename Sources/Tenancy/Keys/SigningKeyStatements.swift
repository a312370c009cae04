import Database
import FoundationEssentials
import JOSE
import Platform

struct InsertSigningKey: Statement {
  let id: ID<GeneratedSigningKey>
  let kid: String
  let algorithm: String
  let state: SigningKeyState
  let publicJWK: JSON
  let privateKey: [UInt8]
  let now: Date
  let activatedAt: Date?
  static let sql: SQL<Self> = """
    insert into \(tenant).signing_key
           (id, kid, algorithm, state, public_jwk, private_key, created_at, activated_at)
    values (\(\.id), \(\.kid), \(\.algorithm), \(\.state), \(\.publicJWK), \(\.privateKey), \(\.now),
            \(\.activatedAt))
    """
}

/// What is published, and what signs; the private half only where it is needed.
struct LoadSigningKeys: Statement {
  static let sql: SQL<Self> = """
    select kid, algorithm, public_jwk,
           case when state = 'current' then private_key end
      from \(tenant).signing_key
     where state <> 'retired'
     order by created_at, id
    """
  static func decode(_ row: inout RowReader) throws -> StoredSigningKey {
    StoredSigningKey(
      kid: try row.next(), algorithm: try row.next(), publicJWK: try row.next(),
      privateKey: try row.next())
  }
}

struct StoredSigningKey: Sendable {
  let kid: String
  let algorithm: String
  let publicJWK: JSON
  /// Sealed; nil unless this key signs.
  let privateKey: [UInt8]?
}
