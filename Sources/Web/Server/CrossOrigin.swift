import HTTPTypes
import Hummingbird

/// Lets applications that run in a browser call the protocol endpoints (Fetch section 3.2).
///
/// Any origin may, since these endpoints know no cookies: whoever calls them brings a code, a token
/// or a secret along. Pages and the administrative API are not opened.
struct CrossOrigin: RouterMiddleware {
  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    guard request.headers.contains(.origin), ErrorFormat(request) == .oauth else {
      return try await next(request, context)
    }
    guard request.method != .options else { return Self.preflight }
    var response = try await next(request, context)
    response.headers[.accessControlAllowOrigin] = "*"
    response.headers[.accessControlExposeHeaders] = "WWW-Authenticate, X-Request-ID"
    return response
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
