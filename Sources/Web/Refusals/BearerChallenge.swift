package import HTTPTypes
package import Platform

/// A refusal of a resource that is protected by access tokens (RFC 6750 section 3).
package struct BearerChallenge: Refusal, Equatable {
  package enum Code: String, Sendable, CaseIterable {
    case invalidRequest = "invalid_request"
    case invalidToken = "invalid_token"
    case insufficientScope = "insufficient_scope"
    // RFC 9470 section 3
    case insufficientUserAuthentication = "insufficient_user_authentication"
  }

  /// Nil when the request had no token at all: then no code is sent (section 3.1).
  package let code: Code?
  /// The scope that is needed, space separated.
  package let scope: String?
  /// How fresh the sign-in must be (RFC 9470 section 3).
  package var maxAgeSeconds: Int? = nil
  /// Of which class it must be, the preferred one first (RFC 9470 section 3).
  package var contextClasses: [String] = []
  package let reason: String?

  /// No token was presented.
  package static let missing = BearerChallenge(
    code: nil, scope: nil, reason: "no access token")
  /// The token is malformed, expired, revoked or of somebody else.
  package static func invalidToken(_ reason: String) -> Self {
    BearerChallenge(code: .invalidToken, scope: nil, reason: reason)
  }
  package static func insufficientScope(_ scope: String) -> Self {
    BearerChallenge(code: .insufficientScope, scope: scope, reason: "needs \(scope)")
  }
  /// The person must sign in again before this token's successor is good enough.
  package static func insufficientUserAuthentication(
    maxAgeSeconds: Int?, contextClasses: [String]
  ) -> Self {
    BearerChallenge(
      code: .insufficientUserAuthentication, scope: nil, maxAgeSeconds: maxAgeSeconds,
      contextClasses: contextClasses, reason: "signed in too long ago, or in another way")
  }
  /// The token was sent twice or in two ways.
  package static func invalidRequest(_ reason: String) -> Self {
    BearerChallenge(code: .invalidRequest, scope: nil, reason: reason)
  }

  package var status: HTTPResponse.Status {
    switch code {
    case nil, .invalidToken, .insufficientUserAuthentication: .unauthorized
    case .insufficientScope: .forbidden
    case .invalidRequest: .badRequest
    }
  }

  package var headers: HTTPFields {
    var challenge = "Bearer realm=\"tenure\""
    if let code {
      challenge += ", error=\"\(code.rawValue)\", error_description=\"\(sentence)\""
    }
    if let scope { challenge += ", scope=\"\(OAuthError.printable(scope))\"" }
    if !contextClasses.isEmpty {
      let values = contextClasses.joined(separator: " ")
      challenge += ", acr_values=\"\(OAuthError.printable(values))\""
    }
    if let maxAgeSeconds { challenge += ", max_age=\"\(maxAgeSeconds)\"" }
    return [.wwwAuthenticate: challenge]
  }

  package var sentence: String {
    switch code {
    case nil: "An access token is required."
    case .invalidToken: "The access token is invalid, expired or revoked."
    case .insufficientScope: "The access token lacks the scope this needs."
    case .insufficientUserAuthentication: "The user must sign in again first."
    case .invalidRequest: "Send the access token once, in the Authorization header."
    }
  }

  package func document(_ format: ErrorFormat) -> ErrorDocument {
    let name = code?.rawValue ?? "unauthorized"
    guard format != .problem else {
      return Problem(status, kind: name, detail: sentence).document(format)
    }
    return ErrorDocument(
      contentType: "application/json",
      body: ["error": .string(name), "error_description": .string(sentence)])
  }
}

extension HTTPFields {
  /// The access token of the `Authorization` header (RFC 6750 section 2.1).
  ///
  /// Nil when there is none, so that a resource can answer ``BearerChallenge/missing``. Cut by bytes: tokens are long, and
  /// looking for the borders of their characters took a third of a userinfo request.
  package func bearerToken() throws(BearerChallenge) -> Secret<String>? {
    let values = self[values: .authorization]
    guard let value = values.first else { return nil }
    guard values.count == 1 else { throw .invalidRequest("two Authorization headers") }
    let blank = UInt8(ascii: " ")
    let parts = Array(value.utf8).split(separator: blank, maxSplits: 1)
    guard let scheme = parts.first, String(decoding: scheme, as: UTF8.self).lowercased() == "bearer"
    else { return nil }
    guard parts.count == 2, parts[1].count <= 16 * 1024, !parts[1].contains(blank) else {
      throw .invalidRequest("malformed Authorization header")
    }
    return Secret(String(decoding: parts[1], as: UTF8.self))
  }
}
