import HTTPTypes
import Hummingbird
import NIOCore

/// Closes the connection after the answer when a request body goes on that nobody will read.
///
/// The server would otherwise read and drop the rest, however long it is, before it looks at the
/// connection's next request.
struct BodyCap: RouterMiddleware {
  let bytesMax: Int

  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    let length = request.headers[text: .contentLength].flatMap(Int.init)
    let isEndless = length == nil && request.headers[.transferEncoding] != nil
    guard length ?? 0 > bytesMax || isEndless && response.status.code >= 400 else {
      return response
    }
    let body = response.body
    response.headers[.connection] = "close"
    response.body = ResponseBody(contentLength: body.contentLength) { [channel = context.channel] in
      try await body.write($0)
      channel.close(mode: .input, promise: nil)
    }
    return response
  }
}
