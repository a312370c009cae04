package import JOSE
package import Platform

/// The grants a client may be registered for (RFC 7591 section 2).
package enum ClientGrantType: String, Sendable, Hashable, CaseIterable {
  case authorizationCode = "authorization_code"
  case refreshToken = "refresh_token"
  case clientCredentials = "client_credentials"
}

/// OAuth 2.1 leaves one response type.
package enum ClientResponseType: String, Sendable, Hashable, CaseIterable {
  case code
}

package enum ClientAuthenticationMethodName: String, Sendable, Hashable, CaseIterable {
  case none
  case clientSecretBasic = "client_secret_basic"
  case clientSecretPost = "client_secret_post"

  package var usesSecret: Bool { self != .none }
}

/// OpenID Connect Dynamic Client Registration section 2.
package enum ApplicationType: String, Sendable, Hashable, CaseIterable {
  case web, native
}

/// The signature algorithms a client can choose from.
package enum ClientSigningAlgorithm: String, Sendable, Hashable, CaseIterable {
  case rs256 = "RS256"
  case es256 = "ES256"

  package var algorithm: SignatureAlgorithm {
    switch self {
    case .rs256: .rs256
    case .es256: .es256
    }
  }
}

/// Client metadata in the names of RFC 7591 section 2, typed.
package struct ClientMetadata: Sendable, Hashable {
  package var redirectURIs: [String] = []
  package var postLogoutRedirectURIs: [String] = []
  package var grantTypes: [ClientGrantType] = [.authorizationCode]
  package var responseTypes: [ClientResponseType] = [.code]
  package var authenticationMethod: ClientAuthenticationMethodName = .clientSecretBasic
  package var applicationType: ApplicationType = .web
  /// What the client may ask for; empty for a client that needs no scope.
  package var scope: OAuthScope = .none
  package var name: String?
  package var uri: String?
  package var logoURI: String?
  package var policyURI: String?
  package var termsURI: String?
  package var idTokenAlgorithm: ClientSigningAlgorithm = .rs256
  /// Our extension, `access_token_signed_response_alg`: RFC 9068 leaves it to the server.
  package var accessTokenAlgorithm: ClientSigningAlgorithm = .es256
  /// Our extension, `first_party`: an application of the organization itself.
  package var isFirstParty = false

  package init() {}

  /// Metadata as the admin API gets it; collects every problem.
  package init(validating object: JSONObject) throws(ClaimErrors) {
    var read = ObjectReader(object)
    self.init(&read)
    checkRules(&read)
    try read.finish()
  }

  /// Metadata that was valid when it was stored: types only, so that a later rule locks nobody out.
  package init(stored object: JSONObject) throws(ClaimErrors) {
    var read = ObjectReader(object)
    self.init(&read)
    guard read.errors.isEmpty else { throw ClaimErrors(read.errors) }
  }

  /// A merge patch (RFC 7396): `null` goes back to the default.
  package func applying(_ patch: JSONObject) throws(ClaimErrors) -> ClientMetadata {
    try ClientMetadata(validating: json.merging(patch))
  }

  private init(_ read: inout ObjectReader) {
    redirectURIs = read.strings("redirect_uris", countMax: 20, bytesMax: 2048) ?? []
    postLogoutRedirectURIs =
      read.strings("post_logout_redirect_uris", countMax: 20, bytesMax: 2048) ?? []
    grantTypes = read.choices("grant_types") ?? [.authorizationCode]
    responseTypes =
      read.choices("response_types") ?? (grantTypes.contains(.authorizationCode) ? [.code] : [])
    authenticationMethod = read.choice("token_endpoint_auth_method") ?? .clientSecretBasic
    applicationType = read.choice("application_type") ?? .web
    if let text = read.text("scope") {
      if let scope = OAuthScope(stored: text) {
        self.scope = scope
      } else {
        read.refuse("scope", "must be scope tokens separated by single blanks")
      }
    }
    name = read.string("client_name", bytesMax: 256)
    uri = read.string("client_uri", bytesMax: 2048)
    logoURI = read.string("logo_uri", bytesMax: 2048)
    policyURI = read.string("policy_uri", bytesMax: 2048)
    termsURI = read.string("tos_uri", bytesMax: 2048)
    idTokenAlgorithm = read.choice("id_token_signed_response_alg") ?? .rs256
    accessTokenAlgorithm = read.choice("access_token_signed_response_alg") ?? .es256
    isFirstParty = read.bool("first_party") ?? false
  }

  /// In the names of RFC 7591, defaults filled in.
  package var json: JSONObject {
    var object: JSONObject = [:]
    object["client_name"] = name.map(JSON.string)
    object["redirect_uris"] = .array(redirectURIs.map(JSON.string))
    object["post_logout_redirect_uris"] = .array(postLogoutRedirectURIs.map(JSON.string))
    object["grant_types"] = .array(grantTypes.map { .string($0.rawValue) })
    object["response_types"] = .array(responseTypes.map { .string($0.rawValue) })
    object["token_endpoint_auth_method"] = .string(authenticationMethod.rawValue)
    object["application_type"] = .string(applicationType.rawValue)
    object["scope"] = .string(scope.description)
    object["client_uri"] = uri.map(JSON.string)
    object["logo_uri"] = logoURI.map(JSON.string)
    object["policy_uri"] = policyURI.map(JSON.string)
    object["tos_uri"] = termsURI.map(JSON.string)
    object["id_token_signed_response_alg"] = .string(idTokenAlgorithm.rawValue)
    object["access_token_signed_response_alg"] = .string(accessTokenAlgorithm.rawValue)
    object["first_party"] = .bool(isFirstParty)
    return object
  }

  /// The names that differ, for the audit trail.
  package func differences(from other: ClientMetadata) -> [String] {
    let (mine, theirs) = (json, other.json)
    return Set(mine.names).union(theirs.names).filter { mine[$0] != theirs[$0] }.sorted()
  }
}

extension ClientMetadata {
  private func checkRules(_ read: inout ObjectReader) {
    checkGrants(&read)
    checkRedirects(&read)
    for (field, value) in [
      ("client_uri", uri), ("logo_uri", logoURI), ("policy_uri", policyURI), ("tos_uri", termsURI),
    ] {
      if let value, let problem = ClientURIRule.pageProblem(value) { read.refuse(field, problem) }
    }
  }

  private func checkGrants(_ read: inout ObjectReader) {
    if grantTypes.isEmpty { read.refuse("grant_types", "must not be empty") }
    if Set(grantTypes).count != grantTypes.count {
      read.refuse("grant_types", "must not have repeated entries")
    }
    // RFC 7591 section 2.1: grant types and response types correspond.
    if responseTypes.contains(.code) != grantTypes.contains(.authorizationCode) {
      read.refuse(
        "response_types", "must contain code exactly when grant_types has authorization_code")
    }
    if grantTypes.contains(.refreshToken), !grantTypes.contains(.authorizationCode) {
      read.refuse("grant_types", "must have authorization_code beside refresh_token")
    }
    // RFC 6749 section 4.4: confidential clients only.
    if grantTypes.contains(.clientCredentials), authenticationMethod == .none {
      read.refuse("token_endpoint_auth_method", "must not be none for client_credentials")
    }
  }

  private func checkRedirects(_ read: inout ObjectReader) {
    if grantTypes.contains(.authorizationCode), redirectURIs.isEmpty {
      read.refuse("redirect_uris", "must have an entry for authorization_code")
    }
    for (field, uris) in [
      ("redirect_uris", redirectURIs), ("post_logout_redirect_uris", postLogoutRedirectURIs),
    ] {
      if Set(uris).count != uris.count { read.refuse(field, "must not have repeated entries") }
      for uri in uris {
        if let problem = ClientURIRule.redirectProblem(uri, applicationType) {
          read.refuse(field, "has an entry that \(problem)")
        }
      }
    }
  }
}

/// What addresses a client may register.
enum ClientURIRule {
  /// Exact comparison needs exact registrations (OAuth 2.1 section 2.3.1): absolute, no fragment, no
  /// wildcard; `https`, the loopback interface over `http`, or a private-use scheme of a native
  /// application (RFC 8252 section 7).
  static func redirectProblem(_ text: String, _ type: ApplicationType) -> String? {
    guard let uri = URIParts(text) else { return "is not an absolute URI" }
    guard uri.fragment == nil else { return "has a fragment" }
    guard !text.contains("*") else { return "has a wildcard" }
    guard !uri.hasUserInfo else { return "has user information" }
    switch uri.scheme {
    case "https": return uri.host == nil ? "has no host" : nil
    case "http":
      return uri.isLoopback ? nil : "uses http outside the loopback interface"
    default:
      // RFC 8252 section 7.1: a reversed domain name, which also keeps out javascript: and data:.
      guard uri.scheme.contains(".") else { return "has a scheme that is not allowed" }
      return type == .native ? nil : "has a private-use scheme, which needs application_type native"
    }
  }

  static func pageProblem(_ text: String) -> String? {
    guard let uri = URIParts(text), uri.host != nil, !uri.hasUserInfo,
      uri.scheme == "https" || (uri.scheme == "http" && uri.isLoopback)
    else { return "must be an https address" }
    return nil
  }
}
