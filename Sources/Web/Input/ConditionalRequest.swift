import HTTPTypes
package import Hummingbird

/// A strong entity tag made from a row's version (RFC 9110 section 8.8.3).
package struct ETag: Sendable, Hashable, CustomStringConvertible {
  package let description: String

  package init(version: Int) { description = "\"v\(version)\"" }
}

/// The condition of an `If-Match` header (RFC 9110 section 13.1.1).
package enum IfMatch: Sendable, Equatable {
  /// There is no such header, or it is `*`: any version will do.
  case any
  case oneOf(Set<String>)

  package init(_ request: Request) {
    let values = request.headers[values: .ifMatch]
    let tags = values.flatMap { $0.split(separator: ",") }.map {
      String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    self = tags.isEmpty || tags == ["*"] ? .any : .oneOf(Set(tags))
  }

  /// Refuses with 412 unless the current version is among those the client knows.
  package func require(_ current: ETag) throws(Problem) {
    guard case .oneOf(let tags) = self, !tags.contains(current.description) else { return }
    throw .preconditionFailed
  }
}

/// The name a client gives to one attempt to create something (`Idempotency-Key`).
package struct IdempotencyKey: Sendable, Hashable {
  package let text: String

  /// Nil when there is no such header; refuses what is not 1 to 255 visible ASCII characters.
  package init?(_ request: Request) throws(Problem) {
    let values = request.headers[values: .idempotencyKey]
    guard let text = values.first else { return nil }
    guard values.count == 1, (1...255).contains(text.utf8.count),
      text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else {
      throw .badRequest("Idempotency-Key must be 1 to 255 visible ASCII characters, sent once.")
    }
    self.text = text
  }
}
