import FoundationEssentials
import Tenancy
import Web

/// What an authorization request leads to.
enum AuthorizationDecision: Sendable, Equatable {
  case refuse(OAuthError)
  case signIn
  case askConsent
  case issue
}

/// Whom an `id_token_hint` names.
enum HintedSubject: Sendable, Equatable {
  case none
  /// Who is signed in.
  case present
  case somebodyElse
  /// Not one of our ID tokens.
  case unusable
}

/// Who is signed in, as far as a decision depends on it.
struct SignedInUser: Sendable, Equatable {
  let authenticatedAt: Date
  let contextClass: String
  /// What the client knows the user by.
  let subject: String
}

/// What is known about the browser and its user when a request is decided.
struct AuthorizationSituation: Sendable {
  var user: SignedInUser? = nil
  /// What this user already allowed this client.
  var grantedScope: OAuthScope? = nil
  var hinted: HintedSubject = .none
  /// When the interaction for this very request began, if the request went through a page of ours.
  var interactionStartedAt: Date? = nil
  var now: Date
}

extension AuthorizationRequest {
  /// OpenID Connect Core section 3.1.2.3 and 3.1.2.4 without I/O, so every branch is a row in a unit test.
  func decision(_ situation: AuthorizationSituation) -> AuthorizationDecision {
    if situation.hinted == .unusable {
      return .refuse(.invalidRequest("id_token_hint is not valid."))
    }
    if let classes = contextClasses, classes.isEssential,
      Session.contextClasses.isDisjoint(with: classes.values)
    {
      // Section 5.5.1.1: a requirement that cannot be met is a failed authentication.
      return .refuse(.unmetAuthenticationRequirements)
    }
    guard let user = situation.user, isFresh(user, situation) else {
      return prompt == .none ? .refuse(.loginRequired) : .signIn
    }
    if let decision = stepUp(user, situation) { return decision }
    if situation.hinted == .somebodyElse
      || (!claims.subject.isEmpty && !claims.subject.contains(user.subject))
    {
      if prompt == .none { return .refuse(.loginRequired) }
      // Section 3.1.2.2: never tokens of another user; who has just signed in is not asked for ever.
      return hasJustSignedIn(user, situation) ? .refuse(.accessDenied) : .signIn
    }
    guard situation.grantedScope.map(isCovered) ?? false, !prompt.contains(.consent) else {
      return prompt == .none ? .refuse(.consentRequired) : .askConsent
    }
    return .issue
  }

  private func hasJustSignedIn(_ user: SignedInUser, _ situation: AuthorizationSituation) -> Bool {
    situation.interactionStartedAt.map { user.authenticatedAt >= $0 } ?? false
  }

  private func isFresh(_ user: SignedInUser, _ situation: AuthorizationSituation) -> Bool {
    if hasJustSignedIn(user, situation) { return true }
    if prompt.contains(.login) || prompt.contains(.selectAccount) { return false }
    guard let maxAgeSeconds else { return true }
    return situation.now.timeIntervalSince(user.authenticatedAt) <= Double(maxAgeSeconds)
  }

  /// What becomes of a sign-in of none of the classes that are asked for; nil if nothing does.
  ///
  /// Section 3.1.2.1: `acr_values` are a wish, so they are worth a sign-in, and never an error.
  private func stepUp(_ user: SignedInUser, _ situation: AuthorizationSituation)
    -> AuthorizationDecision?
  {
    guard let classes = contextClasses, !classes.values.contains(user.contextClass) else {
      return nil
    }
    let isReachable = !Session.contextClasses.isDisjoint(with: classes.values)
    guard isReachable, !hasJustSignedIn(user, situation) else {
      return classes.isEssential ? .refuse(.unmetAuthenticationRequirements) : nil
    }
    guard prompt == .none else { return .signIn }
    return classes.isEssential ? .refuse(.loginRequired) : nil
  }
}
