import HTTPTypes
import Hummingbird
import Platform
import Web

/// What the bodies of `/admin/v1` have in common.
enum AdminBody {
  static let bytesMax = 64 * 1024

  static func read(_ request: Request) async throws -> JSON {
    try await JSONBody.read(request, limit: bytesMax)
  }

  /// A body of an action without parameters: absent, or an empty object.
  static func readNothing(_ request: Request) async throws {
    guard request.headers[.contentType] != nil else { return }
    var fields = try Fields(await read(request))
    try fields.finish()
  }
}

extension AdminQuery {
  init(_ request: Request, allowed: Set<String>) throws {
    try self.init(Query(request), allowed: allowed)
  }
}

extension Idempotency {
  /// What the request claims; nil without an `Idempotency-Key`.
  func claim(_ request: Request, _ body: JSON, in context: AdminContext) throws
    -> IdempotencyClaim?
  {
    guard let key = try IdempotencyKey(request) else { return nil }
    return claims.claim(
      key.text, on: "\(request.method.rawValue) \(request.uri.path)",
      by: context.principal.clientID, body: body)
  }
}

extension Operation where Context == AdminContext {
  /// As the general initialiser, with the scope as a value.
  init<Answer: ResponseGenerator>(
    _ method: HTTPRequest.Method, _ path: String, id: String, _ summary: String,
    scope: AdminScope, query: [SchemaMember] = [], headers: [SchemaMember] = [],
    body: [SchemaMember]? = nil, answers: [OperationAnswer],
    refusals: [HTTPResponse.Status] = [],
    handle: @escaping @Sendable (Request, AdminContext) async throws -> Answer
  ) {
    self.init(
      method, path, id: id, summary: summary, scope: scope.rawValue, query: query,
      headers: headers, body: body, answers: answers, refusals: refusals, handle: handle)
  }
}
