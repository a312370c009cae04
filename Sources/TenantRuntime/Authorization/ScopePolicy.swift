import Tenancy
import Web

/// Which scopes a client may ask for (RFC 6749 section 3.3).
enum ScopePolicy {
  /// What a client without a registered scope may ask for when a user is present.
  static let userDefault = [
    "openid", "profile", "email", "address", "phone", OAuthScope.offlineAccess,
  ]

  private static let needsUser = OAuthScope(userDefault.joined(separator: " ")) ?? .none

  /// The scope of a request with a user: everything asked for must be allowed.
  static func requested(_ text: String, registered: OAuthScope) throws(OAuthError) -> OAuthScope {
    guard let scope = OAuthScope(text), !scope.isEmpty else { throw .invalidScope }
    guard scope.tokens.allSatisfy({ isAllowed($0, registered: registered) }) else {
      throw .invalidScope
    }
    return scope
  }

  static func isAllowed(_ token: String, registered: OAuthScope) -> Bool {
    registered.isEmpty ? userDefault.contains(token) : registered.contains(token)
  }

  /// The scope of a client that acts for itself: what it registered, without what needs a user.
  static func own(_ text: String?, registered: OAuthScope) throws(OAuthError) -> OAuthScope {
    let own = registered.subtracting(needsUser)
    guard let text else { return own }
    guard let scope = OAuthScope(text), scope.isSubset(of: own) else { throw .invalidScope }
    return scope
  }

  /// A scope as it was sent, if it was sent.
  static func parsed(_ text: String?) throws(OAuthError) -> OAuthScope? {
    guard let text else { return nil }
    guard let scope = OAuthScope(text), !scope.isEmpty else { throw .invalidScope }
    return scope
  }
}
