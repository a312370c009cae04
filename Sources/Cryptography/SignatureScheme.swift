/// What kind of key this is, and how large.
package enum KeyType: Sendable, Hashable {
  case rsa(bits: Int)
  case p256
  case p384
  case ed25519

  package static let rsa2048 = KeyType.rsa(bits: 2048)
}

/// A signature scheme with every parameter fixed: padding, hash, curve.
package enum SignatureScheme: Int, Sendable, Hashable, CaseIterable {
  /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2).
  case rsaPKCS1SHA256
  /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes (RFC 8017 section 8.1).
  case rsaPSSSHA256
  /// ECDSA on P-256 with SHA-256 (FIPS 186-4); signatures are `r || s`, 64 bytes.
  case ecdsaP256SHA256
  /// ECDSA on P-384 with SHA-384; signatures are `r || s`, 96 bytes.
  case ecdsaP384SHA384
  /// Ed25519 (RFC 8032 section 5.1).
  case ed25519

  /// Whether keys of this type sign with this scheme.
  package func fits(_ type: KeyType) -> Bool {
    switch (self, type) {
    case (.rsaPKCS1SHA256, .rsa), (.rsaPSSSHA256, .rsa), (.ecdsaP256SHA256, .p256),
      (.ecdsaP384SHA384, .p384), (.ed25519, .ed25519):
      true
    default: false
    }
  }

  /// The hash of the message; Ed25519 hashes by itself.
  var digest: MessageDigest? {
    switch self {
    case .rsaPKCS1SHA256, .rsaPSSSHA256, .ecdsaP256SHA256: Provided.sha256
    case .ecdsaP384SHA384: Provided.sha384
    case .ed25519: nil
    }
  }

  /// The length of `r` and of `s`; nil for schemes that are not ECDSA.
  var scalarCount: Int? {
    switch self {
    case .ecdsaP256SHA256: 32
    case .ecdsaP384SHA384: 48
    case .rsaPKCS1SHA256, .rsaPSSSHA256, .ed25519: nil
    }
  }
}
