package import Cryptography
package import Platform

/// A JSON Web Key (RFC 7517) that the product can sign or verify with.
package struct JWK: Sendable {
  /// What the key may be used for (RFC 7517 section 4.2).
  package enum Use: String, Sendable, Hashable {
    case signature = "sig"
    case encryption = "enc"
  }

  package enum Material: Sendable {
    case publicKey(PublicKey)
    case privateKey(PrivateKey)
    case secret(SecretBytes)
  }

  package let material: Material
  package let keyID: String?
  package let use: Use?
  /// Any registered name: a key for an algorithm we do not speak is still a key.
  package let algorithm: String?
  package let operations: [String]?

  /// A key of ours, to be published: a signature key for one algorithm.
  package init(
    _ key: PublicKey, keyID: String, algorithm: SignatureAlgorithm
  ) throws(JOSEError) {
    guard algorithm.scheme?.fits(key.type) == true else { throw .unsuitableKey("alg") }
    material = .publicKey(key)
    self.keyID = keyID
    use = .signature
    self.algorithm = algorithm.rawValue
    operations = nil
  }

  /// A shared secret for HS256.
  package init(secret: SecretBytes, keyID: String?) {
    material = .secret(secret)
    self.keyID = keyID
    use = .signature
    algorithm = SignatureAlgorithm.hs256.rawValue
    operations = nil
  }

  /// Reads a key: every member that is understood must be right, others are ignored (RFC 7517 section 4).
  package init(_ json: JSON) throws(JOSEError) {
    guard let object = json.objectValue else { throw .malformed("a JWK is an object") }
    let fields = JWKFields(object)
    material = try fields.material()
    keyID = try fields.optional("kid")
    guard let name = try fields.optional("use") else {
      use = nil
      algorithm = try fields.optional("alg")
      operations = try fields.operations()
      return
    }
    // Other values are allowed by the standard; a key for something else is none for us.
    guard let known = Use(rawValue: name) else { throw .unsuitableKey("use") }
    use = known
    algorithm = try fields.optional("alg")
    operations = try fields.operations()
  }

  package static func parse(_ bytes: [UInt8]) throws(JOSEError) -> JWK {
    try JWK(parseJSON(bytes, bytesMax: 16 * 1024))
  }

  /// The public half; nil for a secret.
  package var publicKey: PublicKey? {
    switch material {
    case .publicKey(let key): key
    case .privateKey(let key): key.publicKey
    case .secret: nil
    }
  }

  /// Whether the product would verify `algorithm` with this key; every reason not to, in one place.
  func requireVerifies(_ algorithm: SignatureAlgorithm) throws(JOSEError) {
    try requireSigns(algorithm, operation: "verify")
  }

  func requireSigns(_ algorithm: SignatureAlgorithm, operation: String = "sign") throws(JOSEError) {
    guard use != .encryption else { throw .unsuitableKey("use") }
    guard operations.map({ $0.contains(operation) }) ?? true else {
      throw .unsuitableKey("key_ops")
    }
    guard self.algorithm.map({ $0 == algorithm.rawValue }) ?? true else {
      throw .unsuitableKey("alg")
    }
    switch (algorithm.scheme, material) {
    case (let scheme?, .publicKey(let key)):
      guard scheme.fits(key.type), operation == "verify" else { throw .unsuitableKey("kty") }
    case (let scheme?, .privateKey(let key)):
      guard scheme.fits(key.type) else { throw .unsuitableKey("kty") }
    case (nil, .secret(let secret)):
      // RFC 7518 section 3.2: at least as long as the hash.
      guard secret.count >= SHA256Digest.byteCount else { throw .unsuitableKey("size") }
    case (.some, .secret), (nil, .publicKey), (nil, .privateKey):
      throw .unsuitableKey("kty")
    }
  }
}

extension JWK {
  /// The key as it may be published: never a private or secret number; nil for a secret.
  package var publicJSON: JSON? {
    guard var object = publicKey?.jwkMembers else { return nil }
    if let use { object["use"] = .string(use.rawValue) }
    if let algorithm { object["alg"] = .string(algorithm) }
    if let keyID { object["kid"] = .string(keyID) }
    return .object(object)
  }

  /// SHA-256 thumbprint (RFC 7638) in base64url; nil for a secret, which it would help to guess.
  package var thumbprint: String? { publicKey?.thumbprint }
}

extension PublicKey {
  /// The required members in lexicographic order, which is what RFC 7638 section 3 hashes.
  package var jwkMembers: JSONObject {
    switch components {
    case .rsa(let modulus, let exponent):
      [
        "e": .string(Base64URL.encode(exponent)), "kty": "RSA",
        "n": .string(Base64URL.encode(modulus)),
      ]
    case .p256(let x, let y):
      [
        "crv": "P-256", "kty": "EC", "x": .string(Base64URL.encode(x)),
        "y": .string(Base64URL.encode(y)),
      ]
    case .p384(let x, let y):
      [
        "crv": "P-384", "kty": "EC", "x": .string(Base64URL.encode(x)),
        "y": .string(Base64URL.encode(y)),
      ]
    case .ed25519(let x):
      ["crv": "Ed25519", "kty": "OKP", "x": .string(Base64URL.encode(x))]
    }
  }

  /// SHA-256 thumbprint (RFC 7638) in base64url: the `kid` of keys we generate.
  package var thumbprint: String {
    Base64URL.encode(SHA2.sha256(JSON.object(jwkMembers).encoded()))
  }
}

/// Parses JSON from outside: duplicate members, deep nesting and anything after the value are refused.
func parseJSON(_ bytes: [UInt8], bytesMax: Int) throws(JOSEError) -> JSON {
  guard bytes.count <= bytesMax else { throw .tooLarge }
  do throws(JSONError) {
    return try JSON.parse(bytes, limits: JSONLimits(depth: 16, bytes: bytesMax))
  } catch {
    throw .malformed(error.reason.rawValue)
  }
}
