import FoundationEssentials
import JOSE
import Platform
import Testing

/// Keys and signatures printed in the standards, from the files beside this one.
///
/// A signature in JSON serialization is written as the compact one with the same protected header; those without one are
/// left out (RFC 7520 section 4.7 and the second of 4.8).
enum Vectors {
  struct Signature: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let key: JSON?
    let compact: String
    /// Whether signing again yields the same text: the algorithm is deterministic, and the header is written as ours.
    let isReproducible: Bool

    func jwk() throws -> JWK { try JWK(key ?? .null) }
  }

  static let documents = ["rfc7515", "rfc7517", "rfc7518", "rfc7520", "rfc7638", "rfc8037"]
    .map { name in
      let path = #filePath.dropLast(".swift".count) + "/\(name).json"
      guard let text = try? String(contentsOfFile: String(path), encoding: .utf8),
        let json = try? JSON.parse(Array(text.utf8), limits: .request)
      else { preconditionFailure("no vectors at \(path)") }
      return json
    }

  static let signatures = entries("signatures").map { document, entry in
    Signature(
      testDescription: "\(document) \(entry["section"]?.stringValue ?? "")",
      key: entry["key"].flatMap { $0.isNull ? nil : $0 },
      compact: entry["compact"]?.stringValue ?? "",
      isReproducible: entry["reproducible"]?.boolValue ?? false)
  }

  /// Every member of this name, with the document it is in.
  static func entries(_ member: String) -> [(document: String, entry: JSON)] {
    documents.flatMap { document in
      (document[member]?.arrayValue ?? []).map { (document["document"]?.stringValue ?? "", $0) }
    }
  }

  static func signature(_ name: String) -> Signature {
    guard let found = signatures.first(where: { $0.testDescription == name }) else {
      preconditionFailure("no signature in \(name)")
    }
    return found
  }

  private static func key(_ name: String) -> String { signature(name).key?.text ?? "" }

  static let hs256Key = key("RFC 7515 A.1")
  static let rs256Key = key("RFC 7515 A.2")
  static let es256Key = key("RFC 7515 A.3")
  static let ed25519Key = key("RFC 8037 A.4")
  static let cookbookHS256Key = key("RFC 7520 4.4")
  static let rs256 = signature("RFC 7515 A.2").compact
  static let es256 = signature("RFC 7515 A.3").compact
  static let none = signature("RFC 7515 A.5").compact
}
