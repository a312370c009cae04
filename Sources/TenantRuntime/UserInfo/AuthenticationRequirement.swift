import FoundationEssentials
import Tenancy
import Web

/// What a resource asks of the sign-in behind a token (RFC 9470).
struct AuthenticationRequirement: Sendable, Equatable {
  /// How long ago the person may have signed in; nil for any time.
  let maxAgeSeconds: Int?
  /// Of which class the sign-in must be, the preferred one first; empty for any.
  let contextClasses: [String]

  /// Throws the challenge that tells the client how to ask for a better sign-in (section 3).
  func check(_ token: AccessToken, now: Date) throws(BearerChallenge) {
    guard isFresh(token.authentication, now), isStrong(token.authentication) else {
      throw .insufficientUserAuthentication(
        maxAgeSeconds: maxAgeSeconds, contextClasses: contextClasses)
    }
  }

  private func isFresh(_ authentication: AccessToken.Authentication?, _ now: Date) -> Bool {
    guard let maxAgeSeconds else { return true }
    return authentication.map { now.timeIntervalSince($0.time) <= Double(maxAgeSeconds) } ?? false
  }

  private func isStrong(_ authentication: AccessToken.Authentication?) -> Bool {
    contextClasses.isEmpty
      || authentication.map { contextClasses.contains($0.contextClass) } ?? false
  }
}

extension Tenant {
  /// Claims about a person leave only while the sign-in is as fresh and as strong as the organization wants it.
  var userInfoRequirement: AuthenticationRequirement {
    let seconds = settings.userInfoAuthenticationMaxAgeSeconds
    return AuthenticationRequirement(
      maxAgeSeconds: seconds == 0 ? nil : seconds, contextClasses: settings.userInfoContextClasses)
  }
}
