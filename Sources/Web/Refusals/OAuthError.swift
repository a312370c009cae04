package import HTTPTypes
import Platform

/// An error of the OAuth endpoints (RFC 6749 section 5.2).
package struct OAuthError: Refusal, Equatable {
  package let code: Code
  /// Sent to the client as `error_description`.
  package let description: String
  /// Written to the log, never to the wire.
  package let detail: String?
  /// Where an endpoint answers a code otherwise than all others do.
  private let ownStatus: HTTPResponse.Status?

  package init(
    _ code: Code, _ description: String, detail: String? = nil,
    status: HTTPResponse.Status? = nil
  ) {
    self.code = code
    self.description = description
    self.detail = detail
    ownStatus = status
  }

  /// Registered codes only.
  package enum Code: String, Sendable, CaseIterable {
    // RFC 6749 sections 4.1.2.1 and 5.2
    case invalidRequest = "invalid_request"
    case invalidClient = "invalid_client"
    case invalidGrant = "invalid_grant"
    case unauthorizedClient = "unauthorized_client"
    case unsupportedGrantType = "unsupported_grant_type"
    case unsupportedResponseType = "unsupported_response_type"
    case invalidScope = "invalid_scope"
    case accessDenied = "access_denied"
    case serverError = "server_error"
    case temporarilyUnavailable = "temporarily_unavailable"
    // RFC 7009, RFC 8707
    case unsupportedTokenType = "unsupported_token_type"
    case invalidTarget = "invalid_target"
    // OpenID Connect Core section 3.1.2.6
    case loginRequired = "login_required"
    case consentRequired = "consent_required"
    case invalidRequestURI = "invalid_request_uri"
    case invalidRequestObject = "invalid_request_object"
    case requestNotSupported = "request_not_supported"
    case requestURINotSupported = "request_uri_not_supported"
    case registrationNotSupported = "registration_not_supported"
    // OpenID Connect Core Unmet Authentication Requirements 1.0 section 2
    case unmetAuthenticationRequirements = "unmet_authentication_requirements"
    // RFC 7591 section 3.2.2
    case invalidRedirectURI = "invalid_redirect_uri"
    case invalidClientMetadata = "invalid_client_metadata"
    case invalidSoftwareStatement = "invalid_software_statement"
    case unapprovedSoftwareStatement = "unapproved_software_statement"
    // RFC 8628 section 3.5
    case authorizationPending = "authorization_pending"
    case slowDown = "slow_down"
    case expiredToken = "expired_token"
  }

  package var status: HTTPResponse.Status {
    if let ownStatus { return ownStatus }
    return switch code {
    case .invalidClient: .unauthorized
    case .accessDenied: .forbidden
    case .serverError: .internalServerError
    case .temporarilyUnavailable: .serviceUnavailable
    default: .badRequest
    }
  }

  package var headers: HTTPFields {
    var headers: HTTPFields = [:]
    // RFC 6749 section 5.2: required when the client tried HTTP authentication, allowed always.
    if code == .invalidClient { headers[.wwwAuthenticate] = "Basic realm=\"oauth2\"" }
    if code == .temporarilyUnavailable { headers[.retryAfter] = "30" }
    return headers
  }

  package var sentence: String { description }
  package var reason: String? { detail }

  package func document(_ format: ErrorFormat) -> ErrorDocument {
    guard format != .problem else {
      return Problem(status, kind: code.rawValue, detail: description).document(format)
    }
    return ErrorDocument(
      contentType: "application/json",
      body: [
        "error": .string(code.rawValue),
        "error_description": .string(Self.printable(description)),
      ])
  }

  /// Only what RFC 6749 section 5.2 allows in a description: no quotes, backslashes, non-ASCII.
  static func printable(_ text: String) -> String {
    String(
      text.unicodeScalars.map { scalar -> Character in
        switch scalar.value {
        case 0x22: "'"
        case 0x20...0x5B, 0x5D...0x7E: Character(scalar)
        default: "?"
        }
      })
  }
}

extension OAuthError {
  package static func invalidRequest(_ description: String, detail: String? = nil) -> Self {
    OAuthError(.invalidRequest, description, detail: detail)
  }
  package static func invalidClient(_ detail: String) -> Self {
    OAuthError(.invalidClient, "Client authentication failed.", detail: detail)
  }
  package static func invalidGrant(_ detail: String) -> Self {
    OAuthError(.invalidGrant, "The grant is invalid, expired or revoked.", detail: detail)
  }
  package static func unauthorizedClient(_ detail: String) -> Self {
    OAuthError(.unauthorizedClient, "The client may not use this grant type.", detail: detail)
  }
  package static let unsupportedGrantType = OAuthError(
    .unsupportedGrantType, "This grant type is not supported.")
  package static let unsupportedResponseType = OAuthError(
    .unsupportedResponseType, "This response type is not supported.")
  package static let invalidScope = OAuthError(
    .invalidScope, "The scope is unknown or exceeds what was granted.")
  package static let accessDenied = OAuthError(.accessDenied, "Access was denied.")
  package static let invalidTarget = OAuthError(
    .invalidTarget, "The resource is unknown or not allowed.")
  package static let serverError = OAuthError(
    .serverError, "Something went wrong on our side.")
  package static func temporarilyUnavailable(_ detail: String) -> Self {
    OAuthError(
      .temporarilyUnavailable, "The service is not available at the moment.", detail: detail)
  }
}
