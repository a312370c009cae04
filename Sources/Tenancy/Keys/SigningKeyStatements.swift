import Database
import FoundationEssentials
import JOSE
import Platform

/// A new key, unless its algorithm has one in that state already.
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
        on conflict do nothing
    """
}

/// The published key signs from now on.
struct ActivateSigningKey: Statement {
  let kid: String
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).signing_key
       set state = 'current', activated_at = \(\.now)
     where kid = \(\.kid)
       and state = 'next'
    """
}

/// The key does not sign any more and stays published.
struct DeactivateSigningKey: Statement {
  let kid: String
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).signing_key
       set state = 'previous', deactivated_at = \(\.now)
     where kid = \(\.kid)
       and state = 'current'
    """
}

/// The key leaves the JWKS, and its private half is destroyed.
struct RetireSigningKey: Statement {
  let kid: String
  let from: SigningKeyState
  let now: Date
  static let sql: SQL<Self> = """
    update \(tenant).signing_key
       set state = 'retired', retired_at = \(\.now), private_key = null
     where kid = \(\.kid)
       and state = \(\.from)
    """
}

/// Every key, retired ones included, without private halves.
struct ListSigningKeys: Statement {
  static let sql: SQL<Self> = """
    select kid, algorithm, state, created_at, activated_at, deactivated_at, retired_at
      from \(tenant).signing_key
     order by created_at, id
    """
  static func decode(_ row: inout RowReader) throws -> SigningKeyRecord {
    let kid: String = try row.next()
    guard let algorithm = SignatureAlgorithm(rawValue: try row.next()) else {
      throw StoredValueError(column: "signing_key.algorithm")
    }
    return SigningKeyRecord(
      kid: kid, algorithm: algorithm, state: try row.next(), createdAt: try row.next(),
      activatedAt: try row.next(), deactivatedAt: try row.next(), retiredAt: try row.next())
  }
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
