import HTTPTypes
import Hummingbird

/// Lets applications that run in a browser call the protocol endpoints (Fetch section 3.2).
///
/// These endpoints know no cookies: whoever calls them brings a code, a token or a secret along. The
/// answer can be read by the origins of the client that was authenticated or named, and by nobody
/// else. A preflight names no client, so it is answered for all. What is published under `.well-known`
/// is for everybody; pages and the administrative API are for no other origin.
struct CrossOrigin: RouterMiddleware {
  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    guard ErrorFormat(request) == .oauth else { return try await next(request, context) }
    guard let origin = request.headers[.origin] else {
      var response = try await next(request, context)
      Self.vary(&response)
      return response
    }
    guard request.method != .options else { return Self.preflight }
    var response = try await next(request, context)
    if Self.isPublished(request) {
      response.headers[.accessControlAllowOrigin] = "*"
    } else {
      Self.vary(&response)
      guard context.notes.origins.contains(origin) else { return response }
      response.headers[.accessControlAllowOrigin] = origin
    }
    response.headers[.accessControlExposeHeaders] =
      "WWW-Authenticate, X-Request-ID, Retry-After, RateLimit, RateLimit-Policy"
    return response
  }

  private static func isPublished(_ request: Request) -> Bool {
    request.uri.path.pathSegments.contains(".well-known")
  }

  /// Caches must not hand the answer for one origin to another (Fetch section 3.2.5).
  private static func vary(_ response: inout Response) {
    guard response.headers[.accessControlAllowOrigin] != "*" else { return }
    response.headers.append(HTTPField(name: .vary, value: "Origin"))
  }

  private static let preflight = EmptyResponse(
    headers: [
      .accessControlAllowOrigin: "*",
      .accessControlAllowMethods: "GET, POST",
      .accessControlAllowHeaders: "Authorization, Content-Type, X-Request-ID",
      .accessControlMaxAge: "86400",
    ]
  ).response
}
