import Cryptography
import Platform
import Web

/// The code challenge a client sent with its authorization request (RFC 7636 section 4.2); S256 only.
struct CodeChallenge: Sendable, Hashable {
  let value: String

  init(_ raw: String, method: String?) throws(OAuthError) {
    // RFC 7636 section 4.3: an absent method means "plain", which OAuth 2.1 no longer allows.
    guard method == "S256" else {
      throw .invalidRequest("code_challenge_method must be S256.")
    }
    guard let digest = Base64URL.decode(raw), digest.count == 32 else {
      throw .invalidRequest("code_challenge must be an S256 challenge.")
    }
    value = raw
  }

  /// The challenge this verifier answers (RFC 7636 section 4.6).
  init(answeredBy verifier: CodeVerifier) {
    value = Base64URL.encode(SHA2.sha256(Array(verifier.value.utf8)))
  }
}

/// The secret behind a code challenge (RFC 7636 section 4.1).
struct CodeVerifier: Sendable {
  let value: String

  init(_ raw: String) throws(OAuthError) {
    guard (43...128).contains(raw.utf8.count), raw.utf8.allSatisfy(Self.isUnreserved) else {
      throw .invalidGrant("malformed code_verifier")
    }
    value = raw
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"), UInt8(ascii: "~"):
      true
    default: false
    }
  }
}
