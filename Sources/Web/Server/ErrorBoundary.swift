import Hummingbird
import HTTPTypes
import Logging

/// The innermost shared middleware: whatever a handler throws becomes an answer here.
///
/// It returns responses instead of rethrowing, so that security headers and the access log outside
/// it see every answer; Hummingbird by itself renders errors outside the middleware chain.
struct ErrorBoundary: RouterMiddleware {
  let pages: Pages
  let routes: RouteTable
  /// Recognises errors of other modules, for example "the database is away".
  let translate: @Sendable (any Error) -> (any Refusal)?

  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      let refusal = refusal(for: error, of: request, in: context)
      log(refusal, in: context)
      return try render(refusal, for: request, in: context)
    }
  }

  private func refusal(
    for error: any Error, of request: Request, in context: BaseContext
  ) -> any Refusal {
    if let refusal = error as? any Refusal { return refusal }
    if let refusal = translate(error) { return refusal }
    if let error = error as? HTTPError {
      guard error.status == .notFound else {
        return Problem(error.status, detail: error.body, headers: error.headers)
      }
      return routes.refusal(for: request)
    }
    if error is CancellationError {
      return Problem.unavailable("The request was cancelled.", reason: "cancelled")
    }
    let reason = String(reflecting: error)
    return switch ErrorFormat(request) {
    case .oauth: OAuthError(.serverError, OAuthError.serverError.description, detail: reason)
    case .problem, .page: Problem.internalError(reason: reason)
    }
  }

  private func log(_ refusal: any Refusal, in context: BaseContext) {
    guard let reason = refusal.reason else { return }
    let level: Logger.Level = refusal.status.kind == .serverError ? .error : .info
    context.log.log(
      level: level, "refused",
      metadata: [
        "reason": .string(reason), "status": .stringConvertible(refusal.status.code),
        "route": .string(context.endpointPath ?? "none"),
      ])
  }

  private func render(
    _ refusal: any Refusal, for request: Request, in context: BaseContext
  ) throws -> Response {
    let format = ErrorFormat(request)
    guard format == .page, Self.wantsPage(refusal, request) else {
      return refusal.jsonResponse(format == .page ? .problem : format)
    }
    let page = try pages.errorPage(
      refusal, owner: context.notes.current.owner, requestID: context.requestID)
    var response = page.response
    response.headers.append(contentsOf: refusal.headers)
    return response
  }

  /// A refusal by a handler is a page for clients that name HTML; an address that does not
  /// exist is one for everybody who can show it.
  private static func wantsPage(_ refusal: any Refusal, _ request: Request) -> Bool {
    switch (refusal as? Problem)?.status {
    case .notFound, .methodNotAllowed: request.acceptsHTML
    case nil: request.acceptsHTML
    default: request.prefersHTML
    }
  }
}

/// What is mounted, to tell an unknown address (404) from an unknown method (405).
///
/// Consulted only after the router found nothing; a linear search is enough.
struct RouteTable: Sendable {
  let routes: [(path: RouterPath, method: HTTPRequest.Method)]

  func refusal(for request: Request) -> Problem {
    let allowed = methods(at: request.uri.path)
    guard !allowed.isEmpty, !allowed.contains(request.method.rawValue) else { return .notFound() }
    return Problem(
      .methodNotAllowed, kind: "method-not-allowed",
      detail: "This address answers \(allowed.joined(separator: ", ")).",
      headers: [.allow: allowed.joined(separator: ", ")])
  }

  func methods(at path: String) -> [String] {
    let segments = path.split(separator: "/")
    let methods = routes.filter { Self.matches($0.path, segments) }.map(\.method.rawValue)
    return Set(methods.contains("GET") ? methods + ["HEAD"] : methods).sorted()
  }

  private static func matches(_ path: RouterPath, _ segments: [Substring]) -> Bool {
    var index = 0
    for element in path {
      if element == .recursiveWildcard { return index < segments.count }
      guard index < segments.count, element ~= segments[index] else { return false }
      index += 1
    }
    return index == segments.count
  }
}
