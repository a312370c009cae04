package import Hummingbird

/// The parameters of a form body.
package struct Form: Parameters {
  private let pairs: URLEncoded

  /// Reads the body; refuses other media types, more than `limit` bytes and broken encoding.
  package init(_ request: Request, limit: Int) async throws {
    guard request.mediaType == "application/x-www-form-urlencoded" else {
      throw OAuthError.invalidRequest("The body must be application/x-www-form-urlencoded.")
    }
    try await self.init(request.bytes(limit: limit))
  }

  package init(_ bytes: [UInt8]) throws(OAuthError) {
    pairs = try URLEncoded(bytes)
  }

  package func all(_ name: String) -> [String] { pairs.values[name] ?? [] }

  package var names: [String] { pairs.values.keys.sorted() }
}

/// Something that is read from a form at the edge, once.
package protocol FormDecodable: Sendable {
  init(_ form: Form) throws(OAuthError)
}

/// The parameters of a request's query.
package struct Query: Parameters {
  private let pairs: URLEncoded

  package init(_ request: Request) throws(OAuthError) {
    try self.init(request.uri.query ?? "")
  }

  package init(_ text: String) throws(OAuthError) {
    pairs = try URLEncoded(text.utf8)
  }

  package func all(_ name: String) -> [String] { pairs.values[name] ?? [] }

  package var names: [String] { pairs.values.keys.sorted() }
}
