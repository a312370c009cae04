import Cryptography
import FoundationEssentials
import Platform
import Tenancy

extension Session {
  /// The only authentication there is yet: a password.
  static let passwordACR = "urn:tenure:acr:password"
  static let passwordAMR = ["pwd"]
  /// Every class that signing in can reach.
  static let contextClasses: Set<String> = [passwordACR]

  /// How old a sign-in may be for an export or an erasure (design section 7: the provider's own fresh login).
  static let freshSeconds = 300

  func isFresh(_ now: Date) -> Bool {
    now.timeIntervalSince(authenticatedAt) < Double(Self.freshSeconds)
  }
}

/// What the session cookie holds: 256 random bits, kept as SHA-256 only.
struct SessionToken: Sendable {
  let bytes: [UInt8]

  static func generate(_ random: RandomSource) -> SessionToken {
    SessionToken(bytes: random.bytes(32))
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  init?(cookie: String) {
    guard let bytes = Base64URL.decode(cookie), bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  var cookie: String { Base64URL.encode(bytes) }
  var hash: [UInt8] { SHA2.sha256(bytes) }
}
