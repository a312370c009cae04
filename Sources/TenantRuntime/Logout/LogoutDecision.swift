import Platform
import Tenancy

/// What a request to sign out leads to (OpenID Connect RP-Initiated Logout 1.0 sections 2 and 3).
enum LogoutDecision: Sendable, Equatable {
  /// The session ends without a question.
  case end
  /// Somebody might have lured the user here: ask first.
  case confirm
  /// Nobody is signed in.
  case nothing
}

/// What is known when a sign-out is decided.
struct LogoutSituation: Sendable {
  var session: ID<Session>?
  /// What the verified hint says of who is signed in; nil without one.
  var hint: Hint?
  /// Whether the user pressed the button on our own page.
  var isConfirmed: Bool

  struct Hint: Sendable {
    var session: ID<Session>?
    var namesUser: Bool
  }
}

extension LogoutSituation {
  /// No I/O, so every branch is a row in a unit test.
  var decision: LogoutDecision {
    guard let session else { return .nothing }
    if isConfirmed { return .end }
    guard let hint else { return .confirm }
    // A hint about somebody else must not sign this user out (section 4).
    if let named = hint.session { return named == session ? .end : .confirm }
    return hint.namesUser ? .end : .confirm
  }
}
