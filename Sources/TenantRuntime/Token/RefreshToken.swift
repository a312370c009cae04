import Cryptography
import FoundationEssentials
import Platform
import Tenancy
import Web

/// A refresh token: derived from its family, its generation and the tenant key, and stored nowhere
/// (decision record 0003).
///
/// `base64url(family 16 bytes || generation UInt32 || HMAC-SHA-256 over both)`.
struct RefreshToken: Sendable, Equatable {
  static let bytesCount = 16 + 4 + 32

  let family: ID<TokenFamily>
  let generation: Int32

  init(family: ID<TokenFamily>, generation: Int32) {
    self.family = family
    self.generation = generation
  }

  /// Nil for everything this tenant did not derive itself.
  init?(_ text: String, key: HMACKey) {
    guard let bytes = Base64URL.decode(text), bytes.count == Self.bytesCount,
      constantTimeEquals(Array(bytes[20...]), key.sha256(Array(bytes[..<20]))),
      let family = ID<TokenFamily>(bytes: Array(bytes[..<16]))
    else { return nil }
    let generation = bytes[16..<20].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard let generation = Int32(exactly: generation), generation > 0 else { return nil }
    self.init(family: family, generation: generation)
  }

  func text(key: HMACKey) -> String {
    let number = UInt32(generation)
    var bytes = family.bytes
    for shift in stride(from: 24, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift)))
    }
    return Base64URL.encode(bytes + key.sha256(bytes))
  }
}

extension Tenant {
  /// The key that makes refresh tokens of this tenant, and no other.
  var refreshTokenKey: HMACKey { key.macKey(.refreshToken) }
}
