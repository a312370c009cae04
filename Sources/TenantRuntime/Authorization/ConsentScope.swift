import Tenancy

/// What a person is asked to allow: scopes, and claims that are asked for outside of their scope.
///
/// Such a claim is remembered as a scope token of its own, so that allowing a name allows no birthday.
enum ConsentScope {
  private static let prefix = "urn:tenure:claim:"

  /// The claims beyond what the scope releases anyway.
  static func claims(_ claims: ReleasedClaims, beyond scope: OAuthScope) -> [String] {
    claims.names.filter { name in
      Claims.scope(of: name).map { !scope.contains($0) } ?? false
    }
  }

  static func token(_ claim: String) -> String { prefix + claim }

  /// The claim a token stands for; nil for a scope.
  static func claim(_ token: String) -> String? {
    token.hasPrefix(prefix) ? String(token.dropFirst(prefix.count)) : nil
  }
}

extension AuthorizationRequest {
  /// What consent to this request covers.
  var consentScope: OAuthScope {
    let tokens = ConsentScope.claims(claims.released, beyond: scope).map(ConsentScope.token)
    return scope.union(OAuthScope(stored: tokens.joined(separator: " ")) ?? .none)
  }

  func isCovered(by granted: OAuthScope) -> Bool {
    scope.isSubset(of: granted)
      && ConsentScope.claims(claims.released, beyond: granted).allSatisfy {
        granted.contains(ConsentScope.token($0))
      }
  }
}
