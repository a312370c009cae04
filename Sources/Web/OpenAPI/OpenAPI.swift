package import Platform

/// The description of the administrative API (OpenAPI 3.1), made of what is mounted.
package struct OpenAPI: Sendable {
  package var title: String
  package var version: String
  /// The address paths are relative to, for example `https://id.example.com/admin/v1`.
  package var server: String
  /// Where tokens for it come from.
  package var tokenEndpoint: String
  package var schemas: [(name: String, schema: Schema)]
  package var operations: [OperationDescription]

  package init(
    title: String, version: String, server: String, tokenEndpoint: String,
    schemas: [(name: String, schema: Schema)], operations: [OperationDescription]
  ) {
    self.title = title
    self.version = version
    self.server = server
    self.tokenEndpoint = tokenEndpoint
    self.schemas = schemas
    self.operations = operations
  }

  package var json: JSON {
    var paths = JSONObject()
    for operation in operations {
      let path = "/\(operation.path)"
      var item = paths[path]?.objectValue ?? [:]
      item[operation.method] = operation.json
      paths[path] = .object(item)
    }
    return [
      "openapi": "3.1.0",
      "info": ["title": .string(title), "version": .string(version)],
      "servers": [["url": .string(server)]],
      "paths": .object(paths),
      "components": .object(components),
    ]
  }

  private var components: JSONObject {
    let scopes = Set(operations.map(\.scope)).sorted()
    return [
      "schemas": .object(
        JSONObject([("Problem", Self.problem.json)] + schemas.map { ($0.name, $0.schema.json) })),
      "responses": [
        "Problem": [
          "description": "A problem document (RFC 9457).",
          "content": ["application/problem+json": ["schema": Schema.named("Problem").json]],
        ]
      ],
      "securitySchemes": [
        "oauth2": [
          "type": "oauth2",
          "flows": [
            "clientCredentials": [
              "tokenUrl": .string(tokenEndpoint),
              "scopes": .object(JSONObject(scopes.map { ($0, .string($0)) })),
            ]
          ],
        ]
      ],
    ]
  }

  private static let problem = Schema.object([
    .required("type", .string(format: "uri-reference")),
    .required("title", .string()),
    .required("status", .integer(400...599)),
    .optional("detail", .string()),
    .optional(
      "errors",
      .array(.object([.required("field", .string()), .required("message", .string())]))),
  ])
}
