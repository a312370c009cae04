import Cryptography
package import JOSE
import Platform

/// The signing keys of one tenant, parsed; a snapshot that lives in the cache.
///
/// Thrifty: a key that signs is parsed once and verifies too, and the JWKS document is kept as bytes.
package final class SigningKeys: Sendable {
  private let signing: [SigningKey]
  private let verifying: [String: JWK]
  /// The JWKS document (RFC 7517 section 5): public halves, next and previous ones included.
  package let publishedBytes: [UInt8]

  init(_ stored: [StoredSigningKey], tenantKey: TenantKey) throws {
    var signing: [SigningKey] = []
    var verifying: [String: JWK] = [:]
    for row in stored {
      guard let algorithm = SignatureAlgorithm(rawValue: row.algorithm) else {
        throw StoredValueError(column: "signing_key.algorithm")
      }
      guard let sealed = row.privateKey else {
        verifying[row.kid] = try JWK(row.publicJWK)
        continue
      }
      let key = try PrivateKey(
        pkcs8: SecretBytes(try tenantKey.open(sealed, at: .signingKey(row.kid))))
      signing.append(try SigningKey(key, algorithm: algorithm, keyID: row.kid))
      verifying[row.kid] = try JWK(key.publicKey, keyID: row.kid, algorithm: algorithm)
    }
    self.signing = signing
    self.verifying = verifying
    let document: JSON = ["keys": .array(stored.map(\.publicJWK))]
    publishedBytes = document.encodedToKeep()
  }

  /// The key that signs with this algorithm now.
  package func current(_ algorithm: SignatureAlgorithm) throws(KeyError) -> SigningKey {
    guard let key = signing.first(where: { $0.algorithm == algorithm }) else {
      throw .missing(algorithm.rawValue)
    }
    return key
  }

  /// The algorithms this tenant signs with, for discovery.
  package var algorithms: [SignatureAlgorithm] { signing.map(\.algorithm) }

  /// The published key with this `kid`.
  package func verificationKey(_ kid: String) -> JWK? { verifying[kid] }
}
