package import Hummingbird
package import Platform

/// The JSON document of a request's body.
package enum JSONBody {
  /// Reads the body: 415 for other media types, 413 for too many bytes, 400 for broken JSON.
  package static func read(_ request: Request, limit: Int) async throws -> JSON {
    guard let type = request.mediaType, type == "application/json" || type.hasSuffix("+json") else {
      throw Problem.unsupportedMediaType("application/json")
    }
    return try parse(await request.bytes(limit: limit), limit: limit)
  }

  static func parse(_ bytes: [UInt8], limit: Int) throws(Problem) -> JSON {
    let json: JSON
    do {
      json = try JSON.parse(bytes, limits: JSONLimits(depth: 32, bytes: limit))
    } catch {
      throw .badRequest("The body is not valid JSON: \(error).")
    }
    guard !containsNUL(json) else {
      throw .badRequest("The body has a string with a NUL character.")
    }
    return json
  }

  /// Postgres text cannot hold U+0000.
  private static func containsNUL(_ json: JSON) -> Bool {
    switch json {
    case .string(let text): text.utf8.contains(0)
    case .array(let items): items.contains(where: containsNUL)
    case .object(let members): members.contains { $0.utf8.contains(0) || containsNUL($1) }
    default: false
    }
  }
}
