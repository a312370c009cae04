import FoundationEssentials
import JOSE
import Platform
import Tenancy

/// A logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
struct LogoutToken: Sendable {
  /// Section 2.4: explicit typing, so that it can't pass for an ID token.
  static let type = "logout+jwt"
  static let event = "http://schemas.openid.net/event/backchannel-logout"
  /// Section 4: short, preferably at most two minutes.
  static let lifetimeSeconds = 120

  let issuer: String
  let client: ClientID
  /// As the client knows the user.
  let subject: String
  let session: ID<Session>
  let id: String
  let issuedAt: Date

  /// Section 2.4: never with a nonce.
  var claims: JSONObject {
    [
      "iss": .string(issuer), "aud": .string(client.text), "sub": .string(subject),
      "sid": .string(session.description), "jti": .string(id),
      "iat": .integer(issuedAt.unixSeconds),
      "exp": .integer(issuedAt.unixSeconds + Self.lifetimeSeconds),
      "events": [Self.event: [:]],
    ]
  }

  func signed(with key: SigningKey) throws(JOSEError) -> String {
    try JWT.sign(claims, type: Self.type, with: key)
  }
}
