/// A scope: a set of scope tokens (RFC 6749 section 3.3).
///
/// Order does not matter for equality; it is kept for the wire.
package struct OAuthScope: Sendable, Hashable, LosslessStringConvertible {
  package let tokens: [String]

  package static let none = OAuthScope(unchecked: [])
  package static let openID = "openid"
  package static let offlineAccess = "offline_access"

  /// Our policy: nobody means more than this.
  static let bytesMax = 4096
  static let countMax = 100

  /// Strict: `scope-token *( SP scope-token )`; a repeated token counts once.
  package init?(_ text: String) {
    guard text.utf8.count <= OAuthScope.bytesMax else { return nil }
    var tokens: [String] = []
    for token in Array(text.utf8).split(
      separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    {
      guard !token.isEmpty, token.allSatisfy(\.isScopeByte) else { return nil }
      let token = String(decoding: token, as: UTF8.self)
      if !tokens.contains(token) { tokens.append(token) }
    }
    guard tokens.count <= OAuthScope.countMax else { return nil }
    self.tokens = tokens
  }

  /// What is stored: like the wire, and the empty text is the empty scope.
  package init?(stored text: String) {
    if text.isEmpty { self = .none } else { self.init(text) }
  }

  private init(unchecked tokens: [String]) {
    self.tokens = tokens
  }

  package var description: String { tokens.joined(separator: " ") }
  package var isEmpty: Bool { tokens.isEmpty }

  package func contains(_ token: String) -> Bool { tokens.contains(token) }

  package func isSubset(of other: OAuthScope) -> Bool { tokens.allSatisfy(other.contains) }

  package func intersection(_ other: OAuthScope) -> OAuthScope {
    OAuthScope(unchecked: tokens.filter(other.contains))
  }

  package func union(_ other: OAuthScope) -> OAuthScope {
    OAuthScope(unchecked: tokens + other.tokens.filter { !contains($0) })
  }

  package func subtracting(_ other: OAuthScope) -> OAuthScope {
    OAuthScope(unchecked: tokens.filter { !other.contains($0) })
  }

  package static func == (left: OAuthScope, right: OAuthScope) -> Bool {
    left.tokens.count == right.tokens.count && left.isSubset(of: right)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(tokens.sorted())
  }
}

extension UInt8 {
  /// `%x21 / %x23-5B / %x5D-7E`: visible ASCII without quote and backslash.
  var isScopeByte: Bool {
    self == 0x21 || (0x23...0x5B).contains(self) || (0x5D...0x7E).contains(self)
  }
}
