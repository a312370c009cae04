package import JOSE
import Platform

/// The grants a client may be registered for (RFC 7591 section 2).
package enum ClientGrantType: String, Sendable, Hashable, CaseIterable {
  case authorizationCode = "authorization_code"
  case refreshToken = "refresh_token"
  case clientCredentials = "client_credentials"
  /// RFC 8628 section 3.4.
  case deviceCode = "urn:ietf:params:oauth:grant-type:device_code"
  /// RFC 8693 section 2.1.
  case tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
  /// RFC 7523 section 2.1.
  case jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"
}

/// OAuth 2.1 leaves one response type.
package enum ClientResponseType: String, Sendable, Hashable, CaseIterable {
  case code
}

/// How a client proves who it is (RFC 7591 section 2, OpenID Connect Core section 9).
package enum ClientAuthenticationMethodName: String, Sendable, Hashable, CaseIterable {
  case none
  case clientSecretBasic = "client_secret_basic"
  case clientSecretPost = "client_secret_post"
  case clientSecretJWT = "client_secret_jwt"
  case privateKeyJWT = "private_key_jwt"

  /// Whether the server makes a secret for the client.
  package var usesSecret: Bool { sendsSecret || self == .clientSecretJWT }
  /// Whether the secret itself travels.
  package var sendsSecret: Bool { self == .clientSecretBasic || self == .clientSecretPost }
}

/// OpenID Connect Dynamic Client Registration section 2.
package enum ApplicationType: String, Sendable, Hashable, CaseIterable {
  case web, native
}

/// Who can tell from `sub` that two clients have the same user (OpenID Connect Core section 8).
package enum SubjectType: String, Sendable, Hashable, CaseIterable {
  case `public`, pairwise
}

/// The algorithms a client can choose for what the server signs.
package enum ClientSigningAlgorithm: String, Sendable, Hashable, CaseIterable {
  case rs256 = "RS256"
  case ps256 = "PS256"
  case es256 = "ES256"
  case es384 = "ES384"
  case edDSA = "EdDSA"

  package var algorithm: SignatureAlgorithm {
    switch self {
    case .rs256: .rs256
    case .ps256: .ps256
    case .es256: .es256
    case .es384: .es384
    case .edDSA: .edDSA
    }
  }
}

/// The algorithms of request objects (OpenID Connect Core section 6.1).
package enum RequestObjectAlgorithm: String, Sendable, Hashable, CaseIterable {
  /// Unsigned; only where a client registered it.
  case none
  case rs256 = "RS256"
  case ps256 = "PS256"
  case es256 = "ES256"
  case es384 = "ES384"
  case edDSA = "EdDSA"

  /// Nil for unsigned objects.
  package var algorithm: SignatureAlgorithm? { SignatureAlgorithm(rawValue: rawValue) }
}
