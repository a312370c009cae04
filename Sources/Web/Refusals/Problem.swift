package import HTTPTypes
package import Platform

/// What is wrong with one member of a request body.
package struct FieldError: Sendable, Hashable {
  package let field: String
  package let message: String

  package init(_ field: String, _ message: String) {
    self.field = field
    self.message = message
  }
}

/// A problem document of the administrative API and of the pages (RFC 9457).
package struct Problem: Refusal, Equatable {
  /// The last part of the problem type URI; nil is `about:blank`.
  package var kind: String?
  package var status: HTTPResponse.Status
  package var title: String
  package var detail: String?
  package var errors: [FieldError]
  package var headers: HTTPFields
  package var reason: String?
  /// Members beyond those of RFC 9457 section 3.1.
  package var members: JSONObject = [:]

  package init(
    _ status: HTTPResponse.Status, kind: String? = nil, title: String? = nil,
    detail: String? = nil, errors: [FieldError] = [], headers: HTTPFields = [:],
    reason: String? = nil
  ) {
    self.status = status
    self.kind = kind
    self.title = title ?? status.reasonPhrase
    self.detail = detail
    self.errors = errors
    self.headers = headers
    self.reason = reason
  }

  package var sentence: String { detail ?? title }

  package func document(_ format: ErrorFormat) -> ErrorDocument {
    if format == .oauth, let code = oauthCode {
      return OAuthError(code, sentence, detail: nil).document(.oauth)
    }
    var body: JSONObject = [
      "type": .string(kind.map { "urn:tenure:problem:\($0)" } ?? "about:blank"),
      "title": .string(title),
      "status": .integer(Int64(status.code)),
    ]
    if let detail { body["detail"] = .string(detail) }
    for name in members.names { body[name] = members[name] }
    if !errors.isEmpty {
      body["errors"] = .array(
        errors.map { .object(["field": .string($0.field), "message": .string($0.message)]) })
    }
    return ErrorDocument(contentType: "application/problem+json", body: .object(body))
  }
}

extension Problem {
  /// What an OAuth client understands of it (RFC 6749 sections 4.1.2.1 and 5.2).
  private var oauthCode: OAuthError.Code? {
    switch status {
    // No code says "too often"; the status does (RFC 6585 section 4).
    case .serviceUnavailable, .tooManyRequests: .temporarilyUnavailable
    case .contentTooLarge, .badRequest, .misdirectedRequest, .requestTimeout, .uriTooLong,
      .requestHeaderFieldsTooLarge:
      .invalidRequest
    default: nil
    }
  }

  /// One or more members of the body are not as they must be.
  package static func validation(_ errors: [FieldError]) -> Self {
    Problem(
      .unprocessableContent, kind: "validation", title: "The request is not valid",
      detail: "See errors for each field.", errors: errors)
  }
  /// The request as a whole cannot be read.
  package static func badRequest(_ detail: String, reason: String? = nil) -> Self {
    Problem(.badRequest, kind: "bad-request", detail: detail, reason: reason)
  }
  package static func notFound(
    _ detail: String = "There is nothing at this address.", reason: String? = nil
  ) -> Self {
    Problem(.notFound, kind: "not-found", detail: detail, reason: reason)
  }
  package static func conflict(_ detail: String, errors: [FieldError] = []) -> Self {
    Problem(.conflict, kind: "conflict", detail: detail, errors: errors)
  }
  package static func forbidden(_ detail: String, reason: String? = nil) -> Self {
    Problem(.forbidden, kind: "forbidden", detail: detail, reason: reason)
  }
  package static func gone(_ detail: String, reason: String? = nil) -> Self {
    Problem(.gone, kind: "gone", detail: detail, reason: reason)
  }
  /// `If-Match` names a version that is not the current one (RFC 9110 section 15.5.13).
  package static let preconditionFailed = Problem(
    .preconditionFailed, kind: "precondition-failed",
    detail: "The resource has changed; read it again and repeat the change.")
  package static func tooManyRequests(
    retryAfterSeconds: Int, reason: String? = nil
  ) -> Self {
    Problem(
      .tooManyRequests, kind: "too-many-requests",
      detail: "Too many attempts. Try again later.",
      headers: [.retryAfter: String(retryAfterSeconds)], reason: reason)
  }
  /// The service, or this organization, cannot answer at the moment (RFC 9110 section 15.6.4).
  package static func unavailable(
    _ detail: String, retryAfterSeconds: Int = 5, reason: String? = nil
  ) -> Self {
    Problem(
      .serviceUnavailable, kind: "unavailable", detail: detail,
      headers: [.retryAfter: String(retryAfterSeconds)], reason: reason)
  }
  package static func internalError(reason: String?) -> Self {
    Problem(
      .internalServerError, kind: "internal",
      detail: "Something went wrong on our side. The log has the details.", reason: reason)
  }

  static func payloadTooLarge(limit: Int) -> Self {
    Problem(
      .contentTooLarge, kind: "content-too-large",
      detail: "The body may have at most \(limit) bytes.")
  }
  static func unsupportedMediaType(_ expected: String) -> Self {
    Problem(
      .unsupportedMediaType, kind: "unsupported-media-type",
      detail: "The body must be \(expected).")
  }
}
