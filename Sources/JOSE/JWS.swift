import Cryptography
package import Platform

/// The protected header of a signature (RFC 7515 section 4), as far as the product reads it.
package struct JWSHeader: Sendable, Hashable {
  package let algorithm: SignatureAlgorithm
  package let keyID: String?
  package let type: String?
  package let contentType: String?
  /// All members, for what a profile adds, such as DPoP's `jwk`; `jku`, `x5u` and `x5c` are never followed.
  package let members: JSONObject

  init(_ bytes: [UInt8]) throws(JOSEError) {
    guard let members = try parseJSON(bytes, bytesMax: JWS.bytesMax).objectValue else {
      throw .malformed("the header is an object")
    }
    guard members["crit"] == nil else { throw .criticalExtension }
    // RFC 7797 section 6: it must be critical, so it is either refused above or wrong.
    guard members["b64"] == nil else { throw .criticalExtension }
    guard let name = members["alg"]?.stringValue else { throw .malformed("alg") }
    guard let algorithm = SignatureAlgorithm(rawValue: name) else { throw .algorithmNotAllowed }
    self.algorithm = algorithm
    self.members = members
    keyID = try Self.text(members, "kid")
    type = try Self.text(members, "typ")
    contentType = try Self.text(members, "cty")
  }

  /// Whether `typ` is this media type; `application/` may be left out (RFC 7515 section 4.1.9).
  package func hasType(_ expected: String) -> Bool {
    guard let type else { return false }
    return Self.withoutPrefix(type) == Self.withoutPrefix(expected)
  }

  private static func withoutPrefix(_ type: String) -> String {
    let lowered = type.lowercased()
    let prefix = "application/"
    return lowered.hasPrefix(prefix) ? String(lowered.dropFirst(prefix.count)) : lowered
  }

  private static func text(_ members: JSONObject, _ name: String) throws(JOSEError) -> String? {
    guard let value = members[name] else { return nil }
    guard let text = value.stringValue else { throw .malformed(name) }
    return text
  }
}

/// A signature that has been verified.
package struct VerifiedJWS: Sendable {
  package let header: JWSHeader
  package let payload: [UInt8]
}

/// Compact serialization (RFC 7515 section 7.1).
package enum JWS {
  /// What we read unless the caller says otherwise; tokens of the product have one to two KiB.
  package static let bytesMax = 16 * 1024

  /// Signs; the key's `alg` and `kid` enter the header, the caller gives the rest, such as `typ`.
  package static func sign(
    _ payload: [UInt8], header: JSONObject, with key: SigningKey
  ) throws(JOSEError) -> String {
    guard header["crit"] == nil, header["b64"] == nil else { throw .criticalExtension }
    var members: JSONObject = ["alg": .string(key.algorithm.rawValue)]
    for (name, value) in header where name != "alg" && name != "kid" { members[name] = value }
    if let keyID = key.keyID { members["kid"] = .string(keyID) }
    var compact = Base64URL.encode(JSON.object(members).encoded())
    compact.reserveCapacity(compact.utf8.count + payload.count * 4 / 3 + 360)
    compact += "."
    compact += Base64URL.encode(payload)
    let signature = try key.sign(compact.utf8.span)
    compact += "."
    compact += Base64URL.encode(signature)
    return compact
  }

  /// Verifies with the key that `key` finds for the header; nil means that there is none.
  package static func verify(
    _ compact: String, allowing algorithms: Set<SignatureAlgorithm>, bytesMax: Int = JWS.bytesMax,
    key: (JWSHeader) throws(JOSEError) -> JWK?
  ) throws(JOSEError) -> VerifiedJWS {
    let unverified = try UnverifiedJWS(compact, bytesMax: bytesMax)
    guard algorithms.contains(unverified.header.algorithm) else { throw .algorithmNotAllowed }
    guard let key = try key(unverified.header) else { throw .unknownKey }
    return try unverified.verified(with: key, allowing: algorithms)
  }

  package static func verify(
    _ compact: String, allowing algorithms: Set<SignatureAlgorithm>, bytesMax: Int = JWS.bytesMax,
    keys: JWKSet
  ) throws(JOSEError) -> VerifiedJWS {
    try verify(compact, allowing: algorithms, bytesMax: bytesMax) { keys.key(for: $0) }
  }
}

/// A signature taken apart and not verified, for callers that must do I/O to find the key.
///
/// The payload is private until ``verified(with:allowing:)`` gives it out.
package struct UnverifiedJWS: Sendable {
  package let header: JWSHeader
  private let signingInput: String
  private let payload: [UInt8]
  private let signature: [UInt8]

  package init(_ compact: String, bytesMax: Int = JWS.bytesMax) throws(JOSEError) {
    var compact = compact
    compact.makeContiguousUTF8()
    guard compact.utf8.count <= bytesMax else { throw .tooLarge }
    let parts = compact.utf8.split(
      separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .malformed("three parts") }
    guard let header = Base64URL.decode(String(Substring(parts[0]))),
      let payload = Base64URL.decode(String(Substring(parts[1]))),
      let signature = Base64URL.decode(String(Substring(parts[2])))
    else { throw .malformed("base64url") }
    self.header = try JWSHeader(header)
    self.payload = payload
    self.signature = signature
    signingInput = String(compact[..<parts[1].endIndex])
  }

  /// Who the payload says has issued it (RFC 7519 section 4.1.1): good for finding the key, and believed by
  /// nobody before ``verified(with:allowing:)``.
  package var claimedIssuer: String? {
    guard let json = try? parseJSON(payload, bytesMax: max(payload.count, 1)) else { return nil }
    return json["iss"]?.stringValue
  }

  package func verified(
    with key: JWK, allowing algorithms: Set<SignatureAlgorithm>
  ) throws(JOSEError) -> VerifiedJWS {
    guard algorithms.contains(header.algorithm) else { throw .algorithmNotAllowed }
    try key.requireVerifies(header.algorithm)
    guard isValid(with: key) else { throw .invalidSignature }
    return VerifiedJWS(header: header, payload: payload)
  }

  private func isValid(with key: JWK) -> Bool {
    let input = signingInput.utf8.span
    return switch (header.algorithm.scheme, key.material) {
    case (let scheme?, .publicKey(let key)):
      key.verify(signature, of: input, scheme: scheme)
    case (let scheme?, .privateKey(let key)):
      key.publicKey.verify(signature, of: input, scheme: scheme)
    case (nil, .secret(let secret)):
      HMACKey(secret).isValid(signature, for: input)
    case (.some, .secret), (nil, .publicKey), (nil, .privateKey):
      false
    }
  }
}
