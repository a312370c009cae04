import Cryptography
import JOSE
import Platform
import Testing

@Suite("RFC 7515, 7520, 8037: signatures printed in the standards")
struct JWSVectorTests {
  /// Those of algorithms and curves the product speaks.
  static let vectors = Vectors.signatures.filter { vector in
    !otherAlgorithms.contains { $0.testDescription == vector.testDescription }
  }

  static let otherAlgorithms = [
    "RFC 7515 A.4",  // ES512
    "RFC 7515 A.5",  // none
    "RFC 7520 4.2",  // PS384
    "RFC 7520 4.3",  // ES512
  ].map(Vectors.signature)

  @Test("there are as many as the standards print")
  func count() {
    #expect(Self.vectors.count == 13)
    #expect(Self.vectors.filter(\.isReproducible).count == 6)
  }

  @Test("verify", arguments: vectors)
  func verifies(_ vector: Vectors.Signature) throws {
    let key = try vector.jwk()
    let algorithm = try UnverifiedJWS(vector.compact).header.algorithm
    let verified = try JWS.verify(vector.compact, key, allowing: [algorithm])
    let payload = vector.compact.split(separator: ".")[1]
    #expect(Base64URL.encode(verified.payload) == payload)
    if let publicJSON = key.publicJSON {
      let published = try JWK(publicJSON)
      #expect(
        try JWS.verify(vector.compact, published, allowing: [algorithm]).payload
          == verified.payload)
    }
  }

  @Test("sign again, to the same text where that can be", arguments: vectors)
  func signs(_ vector: Vectors.Signature) throws {
    let key = try vector.jwk()
    let algorithm = try UnverifiedJWS(vector.compact).header.algorithm
    let payload = try JWS.verify(vector.compact, key, allowing: [algorithm]).payload
    let signingKey = try SigningKey(key, algorithm: algorithm)
    let compact = try JWS.sign(payload, header: [:], with: signingKey)
    if vector.isReproducible { #expect(compact == vector.compact) }
    #expect(try JWS.verify(compact, key, allowing: [algorithm]).payload == payload)
  }

  @Test("a changed character of payload or signature is refused", arguments: vectors)
  func tampered(_ vector: Vectors.Signature) throws {
    let key = try vector.jwk()
    let algorithm = try UnverifiedJWS(vector.compact).header.algorithm
    let parts = vector.compact.split(separator: ".").map(String.init)
    for part in 1...2 {
      var changed = parts
      let first = changed[part].removeFirst()
      changed[part] = (first == "A" ? "B" : "A") + changed[part]
      #expect(throws: JOSEError.invalidSignature) {
        try JWS.verify(changed.joined(separator: "."), key, allowing: [algorithm])
      }
    }
  }

  @Test("algorithms we do not speak are refused", arguments: otherAlgorithms)
  func unsupported(_ vector: Vectors.Signature) throws {
    for key in try [Vectors.hs256Key, Vectors.rs256Key, Vectors.es256Key].map(JWK.of) {
      #expect(throws: JOSEError.algorithmNotAllowed) {
        try JWS.verify(vector.compact, key, allowing: allAlgorithms)
      }
    }
  }

  @Test("keys of unsupported curves are refused", arguments: ["RFC 7515 A.4", "RFC 7520 4.3"])
  func unsupportedCurve(_ name: String) {
    #expect(throws: JOSEError.unsuitableKey("crv")) { try Vectors.signature(name).jwk() }
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
