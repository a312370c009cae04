import Hummingbird
import HTTPTypes

/// Where the forms of a page may lead (CSP `form-action`).
package enum FormTargets: Sendable, Equatable {
  /// Only to this server.
  case ownOrigin
  /// To this server, which then redirects to an application's registered redirect URI.
  ///
  /// Chrome applies `form-action` to every redirect that follows a form, also to those the
  /// application makes afterwards, and fails silently. So a page of an authorization flow
  /// allows the scheme of the verified redirect URI, not only its origin.
  case redirecting(to: String)

  var sources: String {
    guard case .redirecting(let target) = self, let colon = target.firstIndex(of: ":") else {
      return "'self'"
    }
    let scheme = target[..<colon].lowercased()
    let isScheme =
      scheme.utf8.first.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) } ?? false
      && scheme.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
      }
    return isScheme ? "'self' \(scheme):" : "'self'"
  }
}

/// The headers every answer carries; a response that set one itself keeps it.
struct SecurityHeaders: RouterMiddleware {
  /// Whether the server is reached over https, so that browsers may insist on it (RFC 6797).
  let isSecure: Bool

  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    let policy = Self.contentSecurityPolicy(.ownOrigin)
    Self.set(.contentSecurityPolicy, policy, in: &response.headers)
    Self.set(.xContentTypeOptions, "nosniff", in: &response.headers)
    Self.set(.frameOptions, "DENY", in: &response.headers)
    // Not `no-referrer`: under that, browsers send `Origin: null` with our own forms.
    Self.set(.referrerPolicy, "same-origin", in: &response.headers)
    Self.set(.resourcePolicy, "same-origin", in: &response.headers)
    Self.set(
      .permissionsPolicy, "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
      in: &response.headers)
    Self.set(.cacheControl, "no-store", in: &response.headers)
    if isSecure {
      Self.set(.strictTransportSecurity, "max-age=63072000", in: &response.headers)
    }
    return response
  }

  /// The policy of a page: no script, no frame, nothing from elsewhere (CSP Level 3).
  static func contentSecurityPolicy(_ targets: FormTargets) -> String {
    """
    default-src 'none'; style-src 'self'; img-src 'self' data:; \
    form-action \(targets.sources); frame-ancestors 'none'; base-uri 'none'
    """
  }

  private static func set(
    _ name: HTTPField.Name, _ value: String, in headers: inout HTTPFields
  ) {
    guard !headers.contains(name) else { return }
    headers[name] = value
  }
}
