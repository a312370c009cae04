import Tenancy

/// Scopes in plain words, for the pages.
struct ScopeWords: Sendable, Equatable {
  let label: String
  let hint: String?

  init(_ token: String) {
    if let claim = ConsentScope.claim(token) {
      self.init("See one thing of your profile", claim.replacing("_", with: " "))
      return
    }
    switch token {
    case "openid":
      self.init("Know who you are", "A number that stands for your account, and when you signed in")
    case "profile": self.init("See your profile", "Name, picture, language and the like")
    case "email": self.init("See your e-mail address", nil)
    case "address": self.init("See your postal address", nil)
    case "phone": self.init("See your phone number", nil)
    case OAuthScope.offlineAccess:
      self.init("Keep its access when you sign out", "Until you withdraw it on your privacy page")
    default: self.init("Use “\(token)”", "A permission of the application's own")
    }
  }

  private init(_ label: String, _ hint: String?) {
    self.label = label
    self.hint = hint
  }

  /// A list for a sentence or a hint.
  static func summary(_ scope: OAuthScope) -> String {
    scope.tokens.map { ScopeWords($0).label }.joined(separator: " · ")
  }
}
