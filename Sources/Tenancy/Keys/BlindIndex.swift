import Foundation

/// The values a user can be found by without their plaintext being stored: keyed digests of a
/// normal form (design section 4).
package enum BlindIndex: String, Sendable, Hashable, CaseIterable {
  case email
  case username
  case phone

  /// The form under which two spellings are the same value; nil if there is nothing to look up.
  package func normalise(_ value: String) -> String? {
    let trimmed = value.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !trimmed.isEmpty else { return nil }
    switch self {
    case .email: return composed(composed(trimmed).lowercased())
    case .username: return composed(composed(trimmed).uppercased().lowercased())
    case .phone: return BlindIndex.digits(of: trimmed)
    }
  }

  /// NFC; ASCII already is.
  private func composed(_ text: String) -> String {
    text.utf8.allSatisfy { $0 < 0x80 } ? text : text.precomposedStringWithCanonicalMapping
  }

  /// E.164: `+`, a country code that does not start with 0, 7 to 15 digits in all.
  ///
  /// Separators and an extension (RFC 3966) are not part of the number.
  private static func digits(of text: String) -> String? {
    let number = text.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)[0]
    guard number.first == "+" else { return nil }
    var digits = "+"
    for byte in number.utf8.dropFirst() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "("),
        UInt8(ascii: ")"), UInt8(ascii: "/"):
        continue
      default: return nil
      }
    }
    guard (8...16).contains(digits.utf8.count), !digits.hasPrefix("+0") else { return nil }
    return digits
  }
}
