import JOSE
import Platform

extension ClientKeys {
  /// Refuses both forms at once, and keys that can't be used.
  func check(_ read: inout ObjectReader) {
    if document != nil, uri != nil {
      read.refuse("jwks", "must not be given together with jwks_uri")
    }
    if let document, let problem = Self.problem(of: document) { read.refuse("jwks", problem) }
    if let uri, let problem = ClientURIRule.pageProblem(uri) { read.refuse("jwks_uri", problem) }
  }

  /// Public keys, each of a kind we verify with: one left out in silence would surprise later.
  private static func problem(of set: JSON) -> String? {
    guard let elements = set["keys"]?.arrayValue, set.encoded().count <= 16 * 1024 else {
      return "must be a JWK set of at most 16 KiB"
    }
    guard (1...20).contains(elements.count) else { return "must have 1 to 20 keys" }
    for element in elements {
      guard let key = try? JWK(element) else { return "has a key that cannot be used" }
      guard case .publicKey = key.material else { return "must have public keys only" }
    }
    return nil
  }
}

extension ClientMetadata {
  /// What must hold between the members (RFC 7591 section 2, OpenID Connect Dynamic Client
  /// Registration section 2).
  func checkRules(_ read: inout ObjectReader) {
    checkGrants(&read)
    checkExchange(&read)
    checkRedirects(&read)
    checkOrigins(&read)
    checkKeys(&read)
    checkSubject(&read)
    checkRequests(&read)
    checkLogout(&read)
    for (field, value) in [
      ("client_uri", uri), ("logo_uri", logoURI), ("policy_uri", policyURI), ("tos_uri", termsURI),
      ("initiate_login_uri", initiateLoginURI),
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
    if grantTypes.contains(.refreshToken), !grantTypes.contains(.authorizationCode),
      !grantTypes.contains(.deviceCode)
    {
      read.refuse(
        "grant_types", "must have authorization_code or the device code beside refresh_token")
    }
    // RFC 6749 section 4.4: confidential clients only; the other two by our policy.
    let confidential: [ClientGrantType] = [.clientCredentials, .tokenExchange, .jwtBearer]
    if authenticationMethod == .none, let grant = grantTypes.first(where: confidential.contains) {
      read.refuse("token_endpoint_auth_method", "must not be none for \(grant.rawValue)")
    }
  }

  private func checkExchange(_ read: inout ObjectReader) {
    if tokenExchange != nil, !grantTypes.contains(.tokenExchange) {
      read.refuse("token_exchange", "needs the token exchange among grant_types")
    }
    if introspectsAllTokens, authenticationMethod == .none {
      read.refuse("introspects_all_tokens", "must not be given for a public client")
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

  private func checkKeys(_ read: inout ObjectReader) {
    keys.check(&read)
    if authenticationMethod == .privateKeyJWT, keys.isEmpty {
      read.refuse("token_endpoint_auth_method", "private_key_jwt needs jwks or jwks_uri")
    }
    guard let algorithm = authenticationAlgorithm else { return }
    let isRight =
      switch authenticationMethod {
      case .clientSecretJWT: algorithm == .hs256
      case .privateKeyJWT: algorithm != .hs256
      case .none, .clientSecretBasic, .clientSecretPost: false
      }
    if !isRight {
      read.refuse(
        "token_endpoint_auth_signing_alg", "does not fit \(authenticationMethod.rawValue)")
    }
  }

  private func checkSubject(_ read: inout ObjectReader) {
    if let uri = subject.sectorIdentifierURI, let problem = ClientURIRule.pageProblem(uri) {
      read.refuse("sector_identifier_uri", problem)
    }
    // OpenID Connect Core section 8.1: one host is the sector, several need a name for it.
    let hosts = Set(redirectURIs.compactMap { URIParts($0)?.host })
    if subject.type == .pairwise, subject.sectorIdentifierURI == nil, hosts.count != 1 {
      read.refuse("sector_identifier_uri", "is needed where redirect_uris have not just one host")
    }
  }

  private func checkRequests(_ read: inout ObjectReader) {
    for uri in requests.uris {
      // OpenID Connect Core section 6.2: a fragment may carry the digest of the document.
      let page = uri.prefix { $0 != "#" }
      if let problem = ClientURIRule.pageProblem(String(page))
        ?? (URIParts(uri) == nil ? "is not a URI" : nil)
      {
        read.refuse("request_uris", "has an entry that \(problem)")
      }
    }
    for resource in requests.resources where !ResourceRule.isResource(resource) {
      read.refuse("resources", "has an entry that is not an absolute URI without fragment")
    }
    if requests.proofKeyWaiver != nil, authenticationMethod == .none {
      read.refuse("pkce_waiver_reason", "must not be given for a public client")
    }
  }

  private func checkLogout(_ read: inout ObjectReader) {
    if let uri = logout.backChannelURI, let problem = ClientURIRule.endpointProblem(uri) {
      read.refuse("backchannel_logout_uri", problem)
    }
    guard let uri = logout.frontChannelURI else { return }
    if let problem = ClientURIRule.endpointProblem(uri) {
      read.refuse("frontchannel_logout_uri", problem)
    } else if let parts = URIParts(uri),
      !redirectURIs.contains(where: { URIParts($0).map(parts.hasOrigin(of:)) ?? false })
    {
      // Front-Channel Logout section 2: of the same origin as a redirect URI.
      read.refuse("frontchannel_logout_uri", "must have scheme, host and port of a redirect URI")
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
    case "https": return uri.hasPlainHost ? nil : "has no plain host"
    case "http":
      return uri.isLoopback ? nil : "uses http outside the loopback interface"
    default:
      // RFC 8252 section 7.1: a reversed domain name, which also keeps out javascript: and data:.
      guard uri.scheme.contains(".") else { return "has a scheme that is not allowed" }
      return type == .native ? nil : "has a private-use scheme, which needs application_type native"
    }
  }

  /// A page that people or we ourselves visit.
  static func pageProblem(_ text: String) -> String? {
    guard let uri = URIParts(text), uri.hasPlainHost, !uri.hasUserInfo,
      uri.scheme == "https" || (uri.scheme == "http" && uri.isLoopback)
    else { return "must be an https address" }
    return nil
  }

  /// The same without a fragment, which no server would get to see.
  static func endpointProblem(_ text: String) -> String? {
    if let problem = pageProblem(text) { return problem }
    return URIParts(text)?.fragment == nil ? nil : "must not have a fragment"
  }
}
