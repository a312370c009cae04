import Cryptography
import Database
import FoundationEssentials
package import JOSE
package import Platform

/// The CHECK of `signing_key.state` (design section 4).
package enum SigningKeyState: String, SQLCodable, Sendable, Hashable, CaseIterable {
  /// Published, and not signing yet.
  case next
  case current
  /// Not signing any more; still published for what it has signed.
  case previous
  /// Its private half is destroyed.
  case retired
}

/// A new signing key, its private half sealed: a row to be inserted.
package struct GeneratedSigningKey: Sendable {
  package let id: ID<GeneratedSigningKey>
  /// RFC 7638 thumbprint.
  package let kid: String
  package let algorithm: SignatureAlgorithm
  package let state: SigningKeyState
  package let publicJWK: JSON
  package let sealedPrivateKey: [UInt8]

  /// What every new tenant signs with (design section 4).
  package static let defaultAlgorithms: [SignatureAlgorithm] = [.rs256, .es256]

  /// Slow for RSA (about 12 ms): done before the transaction that inserts it.
  package init(
    _ algorithm: SignatureAlgorithm, state: SigningKeyState, for tenantKey: TenantKey,
    clock: WallClock, random: RandomSource
  ) throws {
    try self.init(
      UnsealedSigningKey(algorithm), state: state, for: tenantKey, clock: clock, random: random)
  }

  /// A key that was made before it was known for whom.
  package init(
    _ unsealed: UnsealedSigningKey, state: SigningKeyState, for tenantKey: TenantKey,
    clock: WallClock, random: RandomSource
  ) throws {
    let (algorithm, key) = (unsealed.algorithm, unsealed.key)
    id = .generate(clock, random)
    kid = key.publicKey.thumbprint
    self.algorithm = algorithm
    self.state = state
    guard let json = try JWK(key.publicKey, keyID: kid, algorithm: algorithm).publicJSON else {
      throw KeyError.malformed("not a public key")
    }
    publicJWK = json
    sealedPrivateKey = tenantKey.seal(try key.pkcs8().reveal(), at: .signingKey(kid))
  }

}

/// A new signing key that belongs to nobody yet, in memory only.
package struct UnsealedSigningKey: Sendable {
  let algorithm: SignatureAlgorithm
  let key: PrivateKey

  /// What takes time.
  package init(_ algorithm: SignatureAlgorithm) throws {
    guard let type = algorithm.keyType else { throw KeyError.malformed("not a signature") }
    self.algorithm = algorithm
    key = try PrivateKey.generate(type)
  }
}
