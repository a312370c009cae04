import FoundationEssentials
import Tenancy
import Web

/// What a resource asks of the sign-in behind a token (RFC 9470).
struct AuthenticationRequirement: Sendable, Equatable {
  /// How long ago the person may have signed in; nil for any time.
  let maxAgeSeconds: Int?

  /// Throws the challenge that tells the client how to ask for a better sign-in (section 3).
  func check(_ token: AccessToken, now: Date) throws(BearerChallenge) {
    guard let maxAgeSeconds else { return }
    guard let authentication = token.authentication,
      now.timeIntervalSince(authentication.time) <= Double(maxAgeSeconds)
    else { throw .insufficientUserAuthentication(maxAgeSeconds: maxAgeSeconds) }
  }
}

extension Tenant {
  /// Claims about a person leave only while the sign-in is as fresh as the organization wants it.
  var userInfoRequirement: AuthenticationRequirement {
    let seconds = settings.userInfoAuthenticationMaxAgeSeconds
    return AuthenticationRequirement(maxAgeSeconds: seconds == 0 ? nil : seconds)
  }
}
