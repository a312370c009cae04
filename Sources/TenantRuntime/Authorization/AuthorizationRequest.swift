import Tenancy
import Web

/// A validated request for an authorization code (OAuth 2.1 section 4.1.1, OpenID Connect Core 3.1.2.1).
struct AuthorizationRequest: Sendable {
  static let nonceLengthMax = 1024

  static let acrValuesMax = 20

  let parameters: AuthorizationParameters
  let redirect: VerifiedRedirect
  let scope: OAuthScope
  /// Nil where the client may leave it out.
  let challenge: CodeChallenge?
  let nonce: String?
  let prompt: Prompt
  let maxAgeSeconds: Int?
  let loginHint: String?
  let idTokenHint: String?
  let contextClasses: ContextClassRequest?
  let claims: ClaimsRequest
  let resources: ResourceIndicators

  init(_ parameters: AuthorizationParameters, client: ClientMetadata, redirect: VerifiedRedirect)
    throws(OAuthError)
  {
    try Self.refuseUnsupported(parameters)
    _ = try parameters.optional("state")
    guard try parameters.required("response_type") == "code" else {
      throw .unsupportedResponseType
    }
    try Self.checkMode(parameters, redirect)
    guard client.grantTypes.contains(.authorizationCode) else {
      throw .unauthorizedClient("not registered for authorization_code")
    }
    challenge = try Self.challenge(parameters, client)
    scope = try ScopePolicy.requested(
      parameters.required("scope"), registered: client.scope)
    nonce = try parameters.optional("nonce")
    guard (nonce?.utf8.count ?? 0) <= Self.nonceLengthMax else {
      throw .invalidRequest("nonce is too long.")
    }
    prompt = if let text = try parameters.optional("prompt") { try Prompt(text) } else { [] }
    let maxAgeSeconds = try Self.maxAge(parameters)
    self.maxAgeSeconds = maxAgeSeconds ?? client.requests.defaultMaxAgeSeconds
    loginHint = try parameters.optional("login_hint")
    idTokenHint = try parameters.optional("id_token_hint")
    var claims = try ClaimsRequest(parameters)
    claims.released = claims.released.allowed(registered: client.scope)
    self.claims = claims
    let voluntary = try Self.contextClasses(parameters, client)
    contextClasses = claims.contextClasses ?? voluntary
    resources = try ResourceIndicators(parameters.resources)
    try resources.require(client, audiences: [redirect.issuer])
    self.parameters = parameters
    self.redirect = redirect
  }

  /// What we do not do is refused by its own code (OpenID Connect Core 3.1.2.6), and what we do not
  /// need must still be sent once.
  private static func refuseUnsupported(_ parameters: AuthorizationParameters) throws(OAuthError) {
    // Request objects were resolved before; one that comes by another way must not be ignored.
    if try parameters.optional("request") != nil {
      throw OAuthError(.requestNotSupported, "A request object is not supported here.")
    }
    if try parameters.optional("request_uri") != nil {
      throw OAuthError(.requestURINotSupported, "request_uri is not supported here.")
    }
    if try parameters.optional("registration") != nil {
      throw OAuthError(.registrationNotSupported, "registration is not supported.")
    }
    for name in ["display", "ui_locales", "claims_locales"] { _ = try parameters.optional(name) }
  }

  private static func checkMode(
    _ parameters: AuthorizationParameters, _ redirect: VerifiedRedirect
  ) throws(OAuthError) {
    guard let name = try parameters.optional("response_mode") else { return }
    guard let mode = ResponseMode(rawValue: name) else {
      throw .invalidRequest("response_mode is not supported.")
    }
    guard mode == redirect.mode else {
      throw .invalidRequest("response_mode does not fit redirect_uri.")
    }
  }

  /// Everybody proves that they began what they finish (OAuth 2.1 section 4.1.1), except a confidential
  /// client with a waiver.
  private static func challenge(_ parameters: AuthorizationParameters, _ client: ClientMetadata)
    throws(OAuthError) -> CodeChallenge?
  {
    let text = try parameters.optional("code_challenge")
    let method = try parameters.optional("code_challenge_method")
    if text == nil, method == nil, client.mayOmitProofKey { return nil }
    guard let text else { throw .invalidRequest("code_challenge is required.") }
    return try CodeChallenge(text, method: method)
  }

  private static func contextClasses(
    _ parameters: AuthorizationParameters, _ client: ClientMetadata
  ) throws(OAuthError) -> ContextClassRequest? {
    let sent = try parameters.optional("acr_values")?.split(separator: " ").map(String.init)
    let values = sent ?? client.requests.defaultACRValues
    guard values.count <= acrValuesMax else { throw .invalidRequest("acr_values has too many.") }
    return values.isEmpty ? nil : ContextClassRequest(values: values, isEssential: false)
  }

  private static func maxAge(_ parameters: AuthorizationParameters) throws(OAuthError) -> Int? {
    guard let text = try parameters.optional("max_age") else { return nil }
    guard let seconds = Int(text), seconds >= 0, text.utf8.count <= 10 else {
      throw .invalidRequest("max_age must be a number of seconds.")
    }
    return seconds
  }
}

extension ClientMetadata {
  /// Whether it has a waiver of PKCE; never a public client, whatever is stored.
  var mayOmitProofKey: Bool { requests.proofKeyWaiver != nil && authenticationMethod != .none }
}

extension OAuthError {
  /// Shown on a page: there is nobody to redirect to.
  static let unknownClient = OAuthError(
    .invalidRequest, "The application is unknown to this organization.", detail: "unknown client_id"
  )
  static let loginRequired = OAuthError(.loginRequired, "The user must sign in.")
  /// OpenID Connect Core Unmet Authentication Requirements 1.0 section 2.
  static let unmetAuthenticationRequirements = OAuthError(
    .unmetAuthenticationRequirements, "The user cannot be authenticated as required.")
  static let consentRequired = OAuthError(.consentRequired, "The user must be asked for consent.")
}
