import Mustache
import Platform

/// Escapes text for HTML by bytes.
///
/// The library's own HTML type compares grapheme clusters: a quote followed by a combining mark is another `Character`, passes,
/// and would end an attribute.
struct EscapedHTML: MustacheContentType {
  static let name = "TENURE_HTML"

  func escapeText(_ text: String) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 16)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "<"): bytes += "&lt;".utf8
      case UInt8(ascii: ">"): bytes += "&gt;".utf8
      case UInt8(ascii: "&"): bytes += "&amp;".utf8
      case UInt8(ascii: "\""): bytes += "&quot;".utf8
      case UInt8(ascii: "'"): bytes += "&#39;".utf8
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension JSON {
  /// The value as the template library looks at it; null is absent.
  var mustacheValue: Any? {
    switch self {
    case .null: nil
    case .bool(let bool): bool
    case .integer(let number): number
    case .number(let number): number
    case .string(let text): text
    case .array(let items): items.compactMap(\.mustacheValue)
    case .object(let members):
      members.reduce(into: [String: Any]()) { $0[$1.name] = $1.value.mustacheValue }
    }
  }
}
