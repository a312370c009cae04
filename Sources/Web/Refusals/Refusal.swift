package import HTTPTypes
package import Hummingbird
package import Platform

/// An error with two texts: one for the client, one for the log.
///
/// Refusals are thrown from anywhere; ``ErrorBoundary`` writes `reason` to the log and renders the
/// rest in the form the path's clients expect.
package protocol Refusal: HTTPResponseError {
  var status: HTTPResponse.Status { get }
  var headers: HTTPFields { get }
  /// Sent to the client; neutral, never contains data.
  var sentence: String { get }
  /// Written to the log, never to the wire.
  var reason: String? { get }
  /// The document for programs, in the form of the path or in its own.
  func document(_ format: ErrorFormat) -> ErrorDocument
}

/// A refusal as a program reads it.
package struct ErrorDocument: Sendable, Equatable {
  package let contentType: String
  package let body: JSON
}

extension Refusal {
  package func response(from request: Request, context: some RequestContext) throws -> Response {
    jsonResponse(ErrorFormat(request))
  }

  func jsonResponse(_ format: ErrorFormat) -> Response {
    let document = document(format)
    var headers = headers
    headers[.contentType] = document.contentType
    headers[.cacheControl] = "no-store"
    return Response(
      status: status, headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.body.encoded())))
  }
}

/// The kinds of clients a path has, and so the form of its errors.
package enum ErrorFormat: Sendable, Equatable {
  /// Programs: `application/problem+json` (RFC 9457).
  case problem
  /// OAuth clients: `{"error": …}` (RFC 6749 section 5.2).
  case oauth
  /// People: a page. Programs that ask for JSON get a problem document.
  case page

  package init(_ request: Request) {
    self.init(path: request.uri.path)
  }

  init(path: String) {
    let segments = path.pathSegments
    switch segments.first {
    case "admin", "openapi.json", "assets": self = .problem
    default: self = Self.ofTenantPath(segments)
    }
  }

  /// Protocol endpoints answer OAuth JSON, except those that people open in a browser.
  private static func ofTenantPath(_ segments: [String]) -> Self {
    for (index, segment) in segments.enumerated() {
      let next = index + 1 < segments.count ? segments[index + 1] : ""
      switch segment {
      case ".well-known", "authz": return .oauth
      case "oauth2": return next == "authorize" ? .page : .oauth
      case "oidc": return next == "userinfo" ? .oauth : .page
      default: continue
      }
    }
    return .page
  }
}

extension String {
  /// The segments of a path.
  ///
  /// Cut by bytes: this is asked of every request, and looking for the borders of characters takes ten times as long.
  /// As strings of their own, which are compared in one step where they are short.
  package var pathSegments: [String] {
    Array(utf8).split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension Request {
  /// Whether the client says it can show HTML, by name or by `*/*`.
  var acceptsHTML: Bool {
    let accept = headers[.accept] ?? "*/*"
    return accept.contains("text/html") || accept.contains("*/*") || accept.contains("text/*")
  }

  /// Whether the client names HTML, as browsers do and programs do not.
  var prefersHTML: Bool { headers[.accept]?.contains("text/html") ?? false }
}
