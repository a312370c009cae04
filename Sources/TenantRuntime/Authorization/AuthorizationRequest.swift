import Tenancy
import Web

/// A validated request for an authorization code (OAuth 2.1 section 4.1.1, OpenID Connect Core 3.1.2.1).
struct AuthorizationRequest: Sendable {
  static let nonceLengthMax = 1024

  let parameters: AuthorizationParameters
  let redirect: VerifiedRedirect
  let scope: OAuthScope
  let challenge: CodeChallenge
  let nonce: String?
  let prompt: Prompt
  let maxAgeSeconds: Int?
  let loginHint: String?
  let idTokenHint: String?

  init(_ parameters: AuthorizationParameters, client: ClientMetadata, redirect: VerifiedRedirect)
    throws(OAuthError)
  {
    try Self.refuseUnsupported(parameters)
    _ = try parameters.optional("state")
    guard try parameters.required("response_type") == "code" else {
      throw .unsupportedResponseType
    }
    if let mode = try parameters.optional("response_mode"), ResponseMode(rawValue: mode) == nil {
      throw .invalidRequest("response_mode is not supported.")
    }
    guard client.grantTypes.contains(.authorizationCode) else {
      throw .unauthorizedClient("not registered for authorization_code")
    }
    challenge = try CodeChallenge(
      parameters.required("code_challenge"),
      method: parameters.optional("code_challenge_method"))
    scope = try ScopePolicy.requested(
      parameters.required("scope"), registered: client.scope)
    nonce = try parameters.optional("nonce")
    guard (nonce?.utf8.count ?? 0) <= Self.nonceLengthMax else {
      throw .invalidRequest("nonce is too long.")
    }
    prompt = if let text = try parameters.optional("prompt") { try Prompt(text) } else { [] }
    maxAgeSeconds = try Self.maxAge(parameters)
    loginHint = try parameters.optional("login_hint")
    idTokenHint = try parameters.optional("id_token_hint")
    self.parameters = parameters
    self.redirect = redirect
  }

  /// Request objects and self-registration are refused by their own codes (OpenID Connect Core 3.1.2.6).
  private static func refuseUnsupported(_ parameters: AuthorizationParameters) throws(OAuthError) {
    if try parameters.optional("request") != nil {
      throw OAuthError(.requestNotSupported, "Request objects are not supported.")
    }
    if try parameters.optional("request_uri") != nil {
      throw OAuthError(.requestURINotSupported, "request_uri is not supported.")
    }
    if try parameters.optional("registration") != nil {
      throw OAuthError(.registrationNotSupported, "registration is not supported.")
    }
  }

  private static func maxAge(_ parameters: AuthorizationParameters) throws(OAuthError) -> Int? {
    guard let text = try parameters.optional("max_age") else { return nil }
    guard let seconds = Int(text), seconds >= 0, text.utf8.count <= 10 else {
      throw .invalidRequest("max_age must be a number of seconds.")
    }
    return seconds
  }
}

extension OAuthError {
  /// Shown on a page: there is nobody to redirect to.
  static let unknownClient = OAuthError(
    .invalidRequest, "The application is unknown to this organization.", detail: "unknown client_id"
  )
  static let loginRequired = OAuthError(.loginRequired, "The user must sign in.")
  static let consentRequired = OAuthError(.consentRequired, "The user must be asked for consent.")
}
