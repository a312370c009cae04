import Foundation
import NIOHTTP1
import Platform
import Testing

/// What `/openapi.json` says is mounted.
struct DescribedOperation: Sendable, CustomTestStringConvertible {
  let method: HTTPMethod
  let path: String
  let scope: String
  let hasBody: Bool

  var testDescription: String { "\(method) \(path)" }

  static func all(_ harness: Harness) async throws -> [DescribedOperation] {
    let document = try await HTTP.get("\(harness.admin.baseURL)/openapi.json")
    #expect(document.status == 200 && document.json["openapi"] == "3.1.0")
    var operations: [DescribedOperation] = []
    for (path, item) in try #require(document.json["paths"]?.objectValue) {
      for (method, operation) in try #require(item.objectValue) {
        let security = operation["security"]?.arrayValue?.first?["oauth2"]?.arrayValue
        operations.append(
          DescribedOperation(
            method: HTTPMethod(rawValue: method.uppercased()), path: String(path.dropFirst()),
            scope: security?.first?.stringValue ?? "", hasBody: operation["requestBody"] != nil))
      }
    }
    return operations
  }

  /// The path with each parameter replaced.
  func filled(_ values: [String: String], other: String) -> String {
    path.split(separator: "/").map { segment in
      guard segment.hasPrefix("{") else { return String(segment) }
      return values[String(segment.dropFirst().dropLast())] ?? other
    }.joined(separator: "/")
  }
}

/// A body that is refused with 422, and the fields that are named.
struct InvalidBody: Sendable, CustomTestStringConvertible {
  let body: JSON
  let fields: Set<String>

  init(_ body: JSON, _ fields: Set<String>) {
    self.body = body
    self.fields = fields
  }

  var testDescription: String { body.text }
}

extension AdminCredentials {
  /// A call with a body as it is, under any content type.
  func raw(
    _ method: HTTPMethod, _ path: String, _ body: [UInt8], contentType: String = "application/json"
  ) async throws -> Reply {
    try await HTTP.send(
      method, "\(baseURL)/admin/v1/\(path)",
      headers: [
        ("authorization", "Bearer \(try await accessToken())"), ("content-type", contentType),
      ], body: body)
  }
}

extension Reply {
  /// Whether this is a problem document (RFC 9457) of the status.
  func isProblem(_ status: Int) -> Bool {
    self.status == status && contentType == "application/problem+json"
      && json["status"]?.integerValue == status && json["title"]?.stringValue != nil
      && json["type"]?.stringValue != nil
  }

  var problemFields: Set<String> {
    Set(json["errors"]?.arrayValue?.compactMap { $0["field"]?.stringValue } ?? [])
  }

  func header(_ name: String) -> String? { headers.first(name: name) }
}

/// A name nobody else has.
func unique(_ prefix: String) -> String {
  "\(prefix)-\(UUID().uuidString.prefix(12).lowercased())"
}
