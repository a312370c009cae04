package import Platform

/// A JWK Set (RFC 7517 section 5): what `jwks_uri` serves and what a client registers.
package struct JWKSet: Sendable {
  package let keys: [JWK]
  private static let keysMax = 100

  package init(_ keys: [JWK]) {
    self.keys = keys
  }

  /// Reads a set; keys of unknown type or with values we refuse are left out, as section 5 asks.
  package init(_ json: JSON) throws(JOSEError) {
    guard let elements = json["keys"]?.arrayValue else { throw .malformed("keys") }
    guard elements.count <= Self.keysMax else { throw .tooLarge }
    keys = elements.compactMap { element in try? JWK(element) }
  }

  package static func parse(_ bytes: [UInt8], bytesMax: Int = 256 * 1024) throws(JOSEError)
    -> JWKSet
  {
    try JWKSet(parseJSON(bytes, bytesMax: bytesMax))
  }

  /// The public halves; secrets are left out.
  package var publicJSON: JSON {
    ["keys": .array(keys.compactMap(\.publicJSON))]
  }

  package func encodedPublic() -> [UInt8] { publicJSON.encoded() }

  /// The key a header names, or the only one that fits when it names none.
  package func key(for header: JWSHeader) -> JWK? {
    let fitting = keys.filter { key in
      (try? key.requireVerifies(header.algorithm)) != nil
        && (header.keyID == nil || key.keyID == header.keyID)
    }
    // Two keys that answer to one name are an ambiguity, not a list to try.
    return fitting.count == 1 ? fitting.first : nil
  }
}
