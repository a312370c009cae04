package import HTTPTypes

extension HTTPField.Name {
  private static func known(_ text: StaticString) -> Self {
    guard let name = Self(text.description) else {
      preconditionFailure("\(text) is not a header name")
    }
    return name
  }

  package static let requestID = known("X-Request-ID")
  package static let idempotencyKey = known("Idempotency-Key")
  static let forwarded = known("Forwarded")
  static let xForwardedFor = known("X-Forwarded-For")
  static let host = known("Host")
  static let rateLimit = known("RateLimit")
  static let rateLimitPolicy = known("RateLimit-Policy")
  /// W3C Trace Context section 3.2.
  package static let traceparent = known("traceparent")
  static let fetchSite = known("Sec-Fetch-Site")
  static let permissionsPolicy = known("Permissions-Policy")
  static let referrerPolicy = known("Referrer-Policy")
  static let frameOptions = known("X-Frame-Options")
  package static let refresh = known("Refresh")
  package static let resourcePolicy = known("Cross-Origin-Resource-Policy")
}
