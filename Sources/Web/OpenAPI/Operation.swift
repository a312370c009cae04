package import HTTPTypes
package import Hummingbird
import Platform

/// One operation of the administrative API: what mounts it is also what documents it.
package struct Operation<Context: RequestContext>: Sendable {
  package let description: OperationDescription
  let handle: @Sendable (Request, Context) async throws -> Response

  /// - Parameters:
  ///   - method: The HTTP method.
  ///   - path: As in OpenAPI and in the router, for example `organizations/{organization}/users`.
  ///   - id: The name generated clients give it, for example `createUser`.
  ///   - summary: One line.
  ///   - scope: What the access token must be granted; the context checks it before `handle`.
  ///   - query: Parameters of the query.
  ///   - headers: Request headers with a meaning, for example `Idempotency-Key`.
  ///   - body: Members of the JSON body.
  ///   - answers: What it answers when all is well.
  ///   - refusals: The statuses of its problem documents, besides 401 and 403.
  ///   - handle: The handler.
  package init<Answer: ResponseGenerator>(
    _ method: HTTPRequest.Method, _ path: String, id: String, summary: String, scope: String,
    query: [SchemaMember] = [], headers: [SchemaMember] = [], body: [SchemaMember]? = nil,
    answers: [OperationAnswer], refusals: [HTTPResponse.Status] = [],
    handle: @escaping @Sendable (Request, Context) async throws -> Answer
  ) where Context: ScopedContext {
    description = OperationDescription(
      method: method.rawValue.lowercased(), path: path, id: id, summary: summary, scope: scope,
      query: query, headers: headers, body: body, answers: answers,
      refusals: refusals.map(\.code))
    self.handle = { request, context in
      try context.require(scope: scope)
      return try await handle(request, context).response(from: request, context: context)
    }
  }

  func mount(on routes: some RouterMethods<Context>) {
    guard let method = HTTPRequest.Method(rawValue: description.method.uppercased()) else { return }
    routes.on(RouterPath(description.path), method: method, use: handle)
  }
}

/// A context that knows what its access token was granted.
package protocol ScopedContext: RequestContext {
  /// Throws ``BearerChallenge/insufficientScope(_:)`` unless the token has the scope.
  func require(scope: String) throws
}

/// An endpoint that is a list of operations.
package protocol DocumentedEndpoint<Context>: Endpoint {
  var operations: [Operation<Context>] { get }
}

extension DocumentedEndpoint {
  package func mount(on routes: some RouterMethods<Context>) {
    for operation in operations { operation.mount(on: routes) }
  }
}

/// A successful answer of an operation.
package struct OperationAnswer: Sendable {
  let status: Int
  let meaning: String
  let schema: Schema?

  package init(_ status: HTTPResponse.Status, _ meaning: String, _ schema: Schema? = nil) {
    self.status = status.code
    self.meaning = meaning
    self.schema = schema
  }
}

/// An operation without its handler.
package struct OperationDescription: Sendable {
  package let method: String
  package let path: String
  package let id: String
  package let summary: String
  package let scope: String
  let query: [SchemaMember]
  let headers: [SchemaMember]
  let body: [SchemaMember]?
  let answers: [OperationAnswer]
  let refusals: [Int]

  /// The operation object (OpenAPI 3.1 section 4.8.10).
  var json: JSON {
    var responses = JSONObject(answers.map { (String($0.status), Self.response($0)) })
    let bodyRefusals = body == nil ? [] : [400, 413, 415, 422]
    for status in Set(refusals + [401, 403] + bodyRefusals).sorted() {
      responses[String(status)] = ["$ref": "#/components/responses/Problem"]
    }
    var operation: JSONObject = [
      "operationId": .string(id), "summary": .string(summary),
      "tags": [.string(tag)],
      "security": [["oauth2": [.string(scope)]]],
      "parameters": .array(parameters),
      "responses": .object(responses),
    ]
    if let body {
      operation["requestBody"] = [
        "required": true,
        "content": ["application/json": ["schema": Schema.object(body).json]],
      ]
    }
    return .object(operation)
  }

  /// The last fixed segment names the collection.
  private var tag: String {
    path.split(separator: "/").last { !$0.hasPrefix("{") }.map(String.init) ?? "api"
  }

  private var parameters: [JSON] {
    let names = path.split(separator: "/").filter { $0.hasPrefix("{") }
      .map { String($0.dropFirst().dropLast()) }
    return names.map { Self.parameter(.required($0, .string()), in: "path") }
      + query.map { Self.parameter($0, in: "query") }
      + headers.map { Self.parameter($0, in: "header") }
  }

  private static func parameter(_ member: SchemaMember, in place: String) -> JSON {
    var object: JSONObject = [
      "name": .string(member.name), "in": .string(place), "required": .bool(member.isRequired),
      "schema": member.schema.json,
    ]
    if let meaning = member.meaning { object["description"] = .string(meaning) }
    return .object(object)
  }

  private static func response(_ answer: OperationAnswer) -> JSON {
    var object: JSONObject = ["description": .string(answer.meaning)]
    if let schema = answer.schema {
      object["content"] = ["application/json": ["schema": schema.json]]
    }
    return .object(object)
  }
}
