package import Cryptography

/// A key that signs with one algorithm under one `kid`.
package struct SigningKey: Sendable {
  private enum Material: Sendable {
    case asymmetric(PrivateKey, SignatureScheme)
    case hmac(HMACKey)
  }

  package let algorithm: SignatureAlgorithm
  package let keyID: String?
  private let material: Material

  package init(
    _ key: PrivateKey, algorithm: SignatureAlgorithm, keyID: String?
  ) throws(JOSEError) {
    guard let scheme = algorithm.scheme, scheme.fits(key.type) else { throw .unsuitableKey("kty") }
    self.algorithm = algorithm
    self.keyID = keyID
    material = .asymmetric(key, scheme)
  }

  /// HS256 with a secret of at least 256 bits (RFC 7518 section 3.2).
  package init(secret: SecretBytes, keyID: String?) throws(JOSEError) {
    guard secret.count >= SHA256Digest.byteCount else { throw .unsuitableKey("size") }
    algorithm = .hs256
    self.keyID = keyID
    material = .hmac(HMACKey(secret))
  }

  /// A private or secret JWK, if it may sign with this algorithm.
  package init(_ key: JWK, algorithm: SignatureAlgorithm) throws(JOSEError) {
    try key.requireSigns(algorithm)
    switch key.material {
    case .privateKey(let privateKey):
      try self.init(privateKey, algorithm: algorithm, keyID: key.keyID)
    case .secret(let secret):
      try self.init(secret: secret, keyID: key.keyID)
    case .publicKey:
      throw .unsuitableKey("private part missing")
    }
  }

  func sign(_ input: Span<UInt8>) throws(JOSEError) -> [UInt8] {
    switch material {
    case .hmac(let key): return key.sha256(input)
    case .asymmetric(let key, let scheme):
      do throws(CryptographyError) {
        return try key.sign(input, scheme: scheme)
      } catch {
        throw .signingFailed
      }
    }
  }
}
