package import Cryptography
import Foundation
package import Platform

/// The rules for passwords, and their hashing.
///
/// A password is compared in its NFC form (RFC 8265 section 4.2.2), so that two keyboards that
/// compose differently spell the same one.
package struct Passwords: Sendable {
  private let hasher: PasswordHasher

  /// NIST SP 800-63B section 5.1.1.2: at least 8 characters, no rules of composition.
  package static let charactersMin = 8
  /// Our policy: what is hashed has a bound.
  package static let bytesMax = 1024

  package init(hasher: PasswordHasher) {
    self.hasher = hasher
  }

  /// Whether whoever has not typed a password yet should come back later: see ``PasswordHasher/isCrowded``.
  package var isCrowded: Bool { hasher.isCrowded }

  package static func problem(_ password: Secret<String>) -> ClaimError? {
    let text = password.reveal()
    if text.utf8.count > bytesMax {
      return ClaimError("password", "must have at most \(bytesMax) bytes")
    }
    if text.count < charactersMin {
      return ClaimError("password", "must have at least \(charactersMin) characters")
    }
    return nil
  }

  package func hash(_ password: Secret<String>) async throws -> Secret<String> {
    if let problem = Self.problem(password) { throw UserError.invalid(ClaimErrors([problem])) }
    return Secret(try await hasher.hash(Self.prepared(password)))
  }

  /// Constant effort: without a hash, a password of nobody is checked.
  package func verify(_ password: Secret<String>, against hash: Secret<String>?) async throws
    -> Bool
  {
    guard password.reveal().utf8.count <= Self.bytesMax else { return false }
    return try await hasher.verify(Self.prepared(password), against: hash?.reveal())
  }

  private static func prepared(_ password: Secret<String>) -> Secret<String> {
    password.map { text in
      text.utf8.allSatisfy { $0 < 0x80 } ? text : text.precomposedStringWithCanonicalMapping
    }
  }
}
