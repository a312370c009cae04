import Hummingbird
import Logging

/// The outermost middleware: gives the request its id and writes one line about it.
///
/// The route's template is logged, never the path or the query: both can carry codes and e-mails.
struct AccessLog: RouterMiddleware {
  let proxies: TrustedProxies

  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    let started = ContinuousClock.now
    var context = context
    context.identify(request)
    if let peer = context.clientAddress {
      context.clientAddress = proxies.client(behind: peer, request.headers)
    }
    var response = try await next(request, context)
    response.headers[.requestID] = context.requestID
    let elapsed = (ContinuousClock.now - started).components
    let microseconds = elapsed.seconds * 1_000_000 + elapsed.attoseconds / 1_000_000_000_000
    var metadata = context.notes.current.metadata
    metadata["method"] = .string(request.method.rawValue)
    metadata["route"] = .string(context.endpointPath ?? "none")
    metadata["status"] = .stringConvertible(response.status.code)
    metadata["duration_us"] = .stringConvertible(microseconds)
    context.logger.info("request", metadata: metadata)
    return response
  }
}
