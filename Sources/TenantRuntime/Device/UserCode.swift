import Cryptography
import Platform
import Tenancy

/// The code a person types (RFC 8628 section 6.1): eight letters that are neither vowels nor easily mistaken.
struct UserCode: Sendable, Equatable {
  static let alphabet = Array("BCDFGHJKLMNPQRSTVWXZ".utf8)
  static let letterCount = 8
  /// As somebody may type it, with blanks and dashes.
  static let inputBytesMax = 32

  /// Eight capital letters.
  let letters: String

  init(_ random: RandomSource) {
    var letters: [UInt8] = []
    // 240 is the largest multiple of 20 that fits: above it some letters would be likelier.
    while letters.count < Self.letterCount {
      for byte in random.bytes(16) where byte < 240 && letters.count < Self.letterCount {
        letters.append(Self.alphabet[Int(byte) % Self.alphabet.count])
      }
    }
    self.letters = String(decoding: letters, as: UTF8.self)
  }

  /// Reads what somebody typed: case, blanks and punctuation do not matter (section 6.1).
  init?(_ typed: String) {
    guard typed.utf8.count <= Self.inputBytesMax else { return nil }
    let letters = typed.uppercased().utf8.filter { (0x41...0x5A).contains($0) }
    guard letters.count == Self.letterCount, letters.allSatisfy(Self.alphabet.contains) else {
      return nil
    }
    self.letters = String(decoding: letters, as: UTF8.self)
  }

  /// As it is shown: `WDJB-MJHT`.
  var text: String { "\(letters.prefix(4))-\(letters.suffix(4))" }

  /// What it is kept as: keyed, since eight letters could be guessed from a plain digest.
  func hash(in tenant: Tenant) -> [UInt8] {
    tenant.key.macKey(.userCode).sha256(letters)
  }
}
