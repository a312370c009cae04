import Cryptography
import JOSE
import Platform
import Testing

@Suite("RFC 7515, 7520, 8037: signatures printed in the standards")
struct JWSVectorTests {
  struct Vector: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let key: String
    let compact: String
    let algorithm: SignatureAlgorithm
    let isDeterministic: Bool
  }

  static let vectors = [
    Vector(
      testDescription: "RFC 7515 A.1", key: Vectors.hs256Key, compact: Vectors.hs256,
      algorithm: .hs256, isDeterministic: false),  // its header is not written as we write it
    Vector(
      testDescription: "RFC 7515 A.2", key: Vectors.rs256Key, compact: Vectors.rs256,
      algorithm: .rs256, isDeterministic: true),
    Vector(
      testDescription: "RFC 7515 A.3", key: Vectors.es256Key, compact: Vectors.es256,
      algorithm: .es256, isDeterministic: false),
    Vector(
      testDescription: "RFC 7520 4.1", key: Vectors.cookbookRSAKey, compact: Vectors.cookbookRS256,
      algorithm: .rs256, isDeterministic: true),
    Vector(
      testDescription: "RFC 7520 4.4", key: Vectors.cookbookHS256Key,
      compact: Vectors.cookbookHS256, algorithm: .hs256, isDeterministic: true),
    Vector(
      testDescription: "RFC 8037 A.4", key: Vectors.ed25519Key, compact: Vectors.edDSA,
      algorithm: .edDSA, isDeterministic: true),
  ]

  @Test("verify", arguments: vectors)
  func verifies(_ vector: Vector) throws {
    let key = try JWK.of(vector.key)
    let verified = try JWS.verify(vector.compact, key, allowing: [vector.algorithm])
    #expect(verified.header.algorithm == vector.algorithm)
    let payload = vector.compact.split(separator: ".")[1]
    #expect(Base64URL.encode(verified.payload) == payload)
    if let publicJSON = key.publicJSON {
      let published = try JWK(publicJSON)
      #expect(
        try JWS.verify(vector.compact, published, allowing: [vector.algorithm]).payload
          == verified.payload)
    }
  }

  @Test("sign again, to the same text where the algorithm is deterministic", arguments: vectors)
  func signs(_ vector: Vector) throws {
    let key = try JWK.of(vector.key)
    let payload = try JWS.verify(vector.compact, key, allowing: [vector.algorithm]).payload
    let signingKey = try SigningKey(key, algorithm: vector.algorithm)
    let compact = try JWS.sign(payload, header: [:], with: signingKey)
    if vector.isDeterministic { #expect(compact == vector.compact) }
    #expect(try JWS.verify(compact, key, allowing: [vector.algorithm]).payload == payload)
  }

  @Test("a changed character of payload or signature is refused", arguments: vectors)
  func tampered(_ vector: Vector) throws {
    let key = try JWK.of(vector.key)
    let parts = vector.compact.split(separator: ".").map(String.init)
    for part in 1...2 {
      var changed = parts
      let first = changed[part].removeFirst()
      changed[part] = (first == "A" ? "B" : "A") + changed[part]
      #expect(throws: JOSEError.invalidSignature) {
        try JWS.verify(changed.joined(separator: "."), key, allowing: [vector.algorithm])
      }
    }
  }

  @Test(
    "algorithms we do not speak are refused: RFC 7515 A.4 and A.5, RFC 7520 4.2 and 4.3",
    arguments: [
      Vectors.es512, Vectors.none, Vectors.cookbookPS384, Vectors.cookbookES512,
    ])
  func unsupported(_ compact: String) throws {
    let keys = [Vectors.hs256Key, Vectors.cookbookRSAKey, Vectors.es256Key]
    for key in try keys.map(JWK.of) {
      #expect(throws: JOSEError.algorithmNotAllowed) {
        try JWS.verify(compact, key, allowing: allAlgorithms)
      }
    }
  }

  @Test(
    "keys of unsupported curves are refused",
    arguments: [Vectors.es512Key, Vectors.cookbookP521Key])
  func unsupportedCurve(_ key: String) {
    #expect(throws: JOSEError.unsuitableKey("crv")) { try JWK.of(key) }
  }

  @Test("RFC 7515 A.2's key signs PS256 too, which nothing in the standards prints")
  func ps256() throws {
    let key = try JWK.of(Vectors.rs256Key)
    let compact = try JWS.sign([1, 2], header: [:], with: SigningKey(key, algorithm: .ps256))
    #expect(try JWS.verify(compact, key, allowing: [.ps256]).payload == [1, 2])
    // The header says PS256: the same bytes are no RS256 signature.
    let parts = compact.split(separator: ".")
    let relabelled = "eyJhbGciOiJSUzI1NiJ9.\(parts[1]).\(parts[2])"
    #expect(throws: JOSEError.invalidSignature) {
      try JWS.verify(relabelled, key, allowing: [.rs256])
    }
  }
}
