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

/// Who an `id_token_hint` names.
enum HintedSubject: Sendable, Equatable {
  case none
  case user(UserID)
  /// Not one of our ID tokens.
  case unusable
}

/// What is known about the browser and its user when a request is decided.
struct AuthorizationSituation: Sendable {
  /// The signed-in user and when they authenticated.
  var session: (user: UserID, authenticatedAt: Date)? = nil
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
    guard let session = situation.session, isFresh(session.authenticatedAt, situation) else {
      return prompt == .none ? .refuse(.loginRequired) : .signIn
    }
    if case .user(let hinted) = situation.hinted, hinted != session.user {
      return prompt == .none ? .refuse(.loginRequired) : .signIn
    }
    let isGranted = situation.grantedScope.map { scope.isSubset(of: $0) } ?? false
    guard isGranted, !prompt.contains(.consent) else {
      return prompt == .none ? .refuse(.consentRequired) : .askConsent
    }
    return .issue
  }

  private func isFresh(_ authenticatedAt: Date, _ situation: AuthorizationSituation) -> Bool {
    if let started = situation.interactionStartedAt, authenticatedAt >= started { return true }
    if prompt.contains(.login) || prompt.contains(.selectAccount) { return false }
    guard let maxAgeSeconds else { return true }
    return situation.now.timeIntervalSince(authenticatedAt) <= Double(maxAgeSeconds)
  }
}
