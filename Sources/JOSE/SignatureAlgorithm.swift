package import Cryptography

/// A registered signature algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1).
package enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
  case rs256 = "RS256"
  case ps256 = "PS256"
  case es256 = "ES256"
  case es384 = "ES384"
  case edDSA = "EdDSA"
  case hs256 = "HS256"

  /// Everything but HS256: with one of these a verifier cannot forge.
  package static let asymmetric: Set<SignatureAlgorithm> = [.rs256, .ps256, .es256, .es384, .edDSA]

  /// Nil for HS256, which is no signature.
  package var scheme: SignatureScheme? {
    switch self {
    case .rs256: .rsaPKCS1SHA256
    case .ps256: .rsaPSSSHA256
    case .es256: .ecdsaP256SHA256
    case .es384: .ecdsaP384SHA384
    case .edDSA: .ed25519
    case .hs256: nil
    }
  }

  /// The key to generate for it; nil for HS256.
  package var keyType: KeyType? {
    switch self {
    case .rs256, .ps256: .rsa2048
    case .es256: .p256
    case .es384: .p384
    case .edDSA: .ed25519
    case .hs256: nil
    }
  }
}
