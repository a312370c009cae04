package import JOSE
package import Platform

/// Client metadata in the names of RFC 7591 section 2 and of OpenID Connect Dynamic Client
/// Registration section 2, typed.
package struct ClientMetadata: Sendable, Hashable {
  package var redirectURIs: [String] = []
  package var postLogoutRedirectURIs: [String] = []
  package var grantTypes: [ClientGrantType] = [.authorizationCode]
  package var responseTypes: [ClientResponseType] = [.code]
  package var authenticationMethod: ClientAuthenticationMethodName = .clientSecretBasic
  /// The only algorithm its assertions may have; nil for any that fits the method.
  package var authenticationAlgorithm: SignatureAlgorithm?
  package var applicationType: ApplicationType = .web
  /// What the client may ask for; empty for a client that needs no scope.
  package var scope: OAuthScope = .none
  package var name: String?
  package var uri: String?
  package var logoURI: String?
  package var policyURI: String?
  package var termsURI: String?
  /// Where the client starts a sign-in that somebody else wants (OpenID Connect Core section 4).
  package var initiateLoginURI: String?
  package var softwareID: String?
  package var softwareVersion: String?
  package var keys = ClientKeys()
  package var subject = ClientSubject()
  package var idTokenAlgorithm: ClientSigningAlgorithm = .rs256
  /// Nil for userinfo as plain JSON.
  package var userInfoAlgorithm: ClientSigningAlgorithm?
  /// Our extension, `access_token_signed_response_alg`: RFC 9068 leaves it to the server.
  package var accessTokenAlgorithm: ClientSigningAlgorithm = .es256
  package var requests = ClientRequests()
  package var logout = ClientLogout()
  /// Our extension, `token_exchange`: whose tokens it may exchange; nil for nobody's.
  package var tokenExchange: TokenExchangePolicy?
  /// Our extension, `introspects_all_tokens`: a protected resource that has to know about the tokens of
  /// other clients; every client knows about its own (RFC 7662 section 4).
  package var introspectsAllTokens = false
  /// Our extension, `first_party`: an application of the organization itself.
  package var isFirstParty = false
  /// Our extension, `allowed_origins`: where browser applications of the client run, beside the origins
  /// of its redirect URIs (Fetch section 3.2).
  package var allowedOrigins: [String] = []

  package init() {}

  /// Metadata as the admin API gets it; collects every problem.
  package init(validating object: JSONObject) throws(ClaimErrors) {
    var read = ObjectReader(object)
    self.init(&read)
    checkRules(&read)
    try read.finish()
  }

  /// What only an administrator may set: a client that registers itself has these ignored.
  package static let administeredNames: Set<String> = [
    "first_party", "pkce_waiver_reason", "resources", "token_exchange", "introspects_all_tokens",
  ]

  /// Metadata as a client registers it: what is not known, or not the client's to set, is ignored
  /// (RFC 7591 section 2).
  package init(registering object: JSONObject) throws(ClaimErrors) {
    var object = object
    for name in Self.administeredNames { object[name] = nil }
    var read = ObjectReader(object)
    self.init(&read)
    checkRules(&read)
    guard read.errors.isEmpty else { throw ClaimErrors(read.errors) }
  }

  /// These with what an administrator has set for the client before.
  package func keepingAdministered(of earlier: ClientMetadata) -> ClientMetadata {
    var kept = self
    kept.isFirstParty = earlier.isFirstParty
    kept.requests.proofKeyWaiver = earlier.requests.proofKeyWaiver
    kept.requests.resources = earlier.requests.resources
    kept.tokenExchange = earlier.tokenExchange
    kept.introspectsAllTokens = earlier.introspectsAllTokens
    return kept
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
    authenticationAlgorithm = read.choice("token_endpoint_auth_signing_alg")
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
    initiateLoginURI = read.string("initiate_login_uri", bytesMax: 2048)
    softwareID = read.string("software_id", bytesMax: 256)
    softwareVersion = read.string("software_version", bytesMax: 64)
    keys = ClientKeys(&read)
    subject = ClientSubject(&read)
    idTokenAlgorithm = read.choice("id_token_signed_response_alg") ?? .rs256
    userInfoAlgorithm = read.choice("userinfo_signed_response_alg")
    accessTokenAlgorithm = read.choice("access_token_signed_response_alg") ?? .es256
    requests = ClientRequests(&read)
    logout = ClientLogout(&read)
    tokenExchange = TokenExchangePolicy(&read)
    introspectsAllTokens = read.bool("introspects_all_tokens") ?? false
    isFirstParty = read.bool("first_party") ?? false
    allowedOrigins = read.strings("allowed_origins", countMax: 20, bytesMax: 300) ?? []
  }

  /// In the names of RFC 7591, defaults filled in.
  package var json: JSONObject {
    var object: JSONObject = [:]
    object["client_name"] = name.map(JSON.string)
    object["redirect_uris"] = .strings(redirectURIs)
    object["post_logout_redirect_uris"] = .strings(postLogoutRedirectURIs)
    object["grant_types"] = .strings(grantTypes.map(\.rawValue))
    object["response_types"] = .strings(responseTypes.map(\.rawValue))
    object["token_endpoint_auth_method"] = .string(authenticationMethod.rawValue)
    object["token_endpoint_auth_signing_alg"] = authenticationAlgorithm.map {
      .string($0.rawValue)
    }
    object["application_type"] = .string(applicationType.rawValue)
    object["scope"] = .string(scope.description)
    object["client_uri"] = uri.map(JSON.string)
    object["logo_uri"] = logoURI.map(JSON.string)
    object["policy_uri"] = policyURI.map(JSON.string)
    object["tos_uri"] = termsURI.map(JSON.string)
    object["initiate_login_uri"] = initiateLoginURI.map(JSON.string)
    object["software_id"] = softwareID.map(JSON.string)
    object["software_version"] = softwareVersion.map(JSON.string)
    keys.write(to: &object)
    subject.write(to: &object)
    object["id_token_signed_response_alg"] = .string(idTokenAlgorithm.rawValue)
    object["userinfo_signed_response_alg"] = userInfoAlgorithm.map { .string($0.rawValue) }
    object["access_token_signed_response_alg"] = .string(accessTokenAlgorithm.rawValue)
    requests.write(to: &object)
    logout.write(to: &object)
    tokenExchange?.write(to: &object)
    object["introspects_all_tokens"] = .bool(introspectsAllTokens)
    object["first_party"] = .bool(isFirstParty)
    object["allowed_origins"] = .array(allowedOrigins.map(JSON.string))
    return object
  }

  /// The names that differ, for the audit trail.
  package func differences(from other: ClientMetadata) -> [String] {
    let (mine, theirs) = (json, other.json)
    return Set(mine.names).union(theirs.names).filter { mine[$0] != theirs[$0] }.sorted()
  }
}
