/// Where the browser goes after it signed in: a page of this issuer and nothing else.
///
/// Only listed pages are accepted and the address is rebuilt from its parts, so that the value can
/// never lead to another site (our policy against open redirects).
struct Continuation: Sendable, Equatable {
  enum Page: String, Sendable, CaseIterable {
    case authorize = "oauth2/authorize"
    case device = "device"
    case privacy = "privacy"
    case privacyExport = "privacy/export"
    case privacyErasure = "privacy/erasure"
    case accountSessions = "account/sessions"

    /// Whether the page asks to sign in again although the user is signed in.
    var needsFreshSession: Bool { self == .privacyExport || self == .privacyErasure }
  }

  static let lengthMax = 16 * 1024

  let page: Page
  /// Empty, or what follows the question mark.
  let query: String

  init(page: Page, query: String) {
    self.page = page
    self.query = query
  }

  init?(_ text: String, issuerPath: String) {
    guard text.utf8.count <= Self.lengthMax, text.hasPrefix(issuerPath + "/") else { return nil }
    let rest = text.dropFirst(issuerPath.count + 1)
    let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let page = Page(rawValue: String(parts[0])) else { return nil }
    let query = parts.count == 2 ? parts[1] : ""
    guard query.utf8.allSatisfy(Self.isQueryByte) else { return nil }
    self.init(page: page, query: String(query))
  }

  func path(issuerPath: String) -> String {
    "\(issuerPath)/\(page.rawValue)" + (query.isEmpty ? "" : "?\(query)")
  }

  /// RFC 3986 section 3.4, without the characters a form encoder would have escaped.
  private static func isQueryByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._~%&=+:,;*!@$/()".utf8.contains(byte)
    }
  }
}
