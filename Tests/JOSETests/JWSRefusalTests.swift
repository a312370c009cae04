import Cryptography
import JOSE
import Platform
import Testing

@Suite("RFC 7515: refusals")
struct JWSRefusalTests {
  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let compact: String
    let error: JOSEError

    init(_ description: String, _ compact: String, _ error: JOSEError) {
      testDescription = description
      self.compact = compact
      self.error = error
    }
  }

  static let secret = [UInt8](repeating: 7, count: 32)
  static let good = signed(#"{"alg":"HS256"}"#, "payload", secret: secret)

  @Test("the good one is good, or the others would prove nothing")
  func control() throws {
    let key = JWK(secret: SecretBytes(Self.secret), keyID: nil)
    #expect(try JWS.verify(Self.good, key, allowing: [.hs256]).payload == Array("payload".utf8))
  }

  @Test(
    "malformed",
    arguments: [
      Refusal("empty", "", .malformed("three parts")),
      Refusal("two parts", "a.b", .malformed("three parts")),
      Refusal("four parts", good + ".YQ", .malformed("three parts")),
      Refusal("five parts, an encrypted token", "a.b.c.d.e", .malformed("three parts")),
      Refusal("padding", good + "=", .malformed("base64url")),
      Refusal("a line break at the end", good + "\n", .malformed("base64url")),
      Refusal("a space in front", " " + good, .malformed("base64url")),
      Refusal("other alphabet", good + "+/", .malformed("base64url")),
      Refusal("set bits after the end (RFC 4648 3.5)", unusedBits, .malformed("base64url")),
      Refusal("header is not JSON", compact("alg", "x"), .malformed("unexpected character")),
      Refusal("header is an array", compact("[]", "x"), .malformed("the header is an object")),
      Refusal("no alg", compact("{}", "x"), .malformed("alg")),
      Refusal("alg is a number", compact(#"{"alg":1}"#, "x"), .malformed("alg")),
      Refusal(
        "kid is a number", compact(#"{"alg":"HS256","kid":1}"#, "x"), .malformed("kid")),
      Refusal(
        "typ is a list", compact(#"{"alg":"HS256","typ":[]}"#, "x"), .malformed("typ")),
      Refusal(
        "duplicate alg", compact(#"{"alg":"HS256","alg":"none"}"#, "x"),
        .malformed("duplicate member")),
      Refusal(
        "duplicate alg, escaped", compact(#"{"alg":"HS256","\u0061lg":"none"}"#, "x"),
        .malformed("duplicate member")),
      Refusal("something after the header", compact(#"{"alg":"HS256"} x"#, "x"), .malformed("")),
    ])
  func malformed(_ refusal: Refusal) {
    expectRefusal(refusal)
  }

  @Test(
    "algorithm and extensions",
    arguments: [
      Refusal("none", compact(#"{"alg":"none"}"#, "x"), .algorithmNotAllowed),
      Refusal("none without signature", Vectors.none, .algorithmNotAllowed),
      Refusal("NONE", compact(#"{"alg":"NONE"}"#, "x"), .algorithmNotAllowed),
      Refusal("lower case", compact(#"{"alg":"hs256"}"#, "x"), .algorithmNotAllowed),
      Refusal(
        "not among the allowed", compact(#"{"alg":"RS256"}"#, "x"), .algorithmNotAllowed),
      Refusal(
        "crit of an extension", signed(#"{"alg":"HS256","crit":["x"],"x":1}"#, "x", secret: secret),
        .criticalExtension),
      Refusal(
        "crit of a known name",
        signed(#"{"alg":"HS256","crit":["kid"],"kid":"1"}"#, "x", secret: secret),
        .criticalExtension),
      Refusal(
        "empty crit", signed(#"{"alg":"HS256","crit":[]}"#, "x", secret: secret),
        .criticalExtension),
      Refusal(
        "null crit", signed(#"{"alg":"HS256","crit":null}"#, "x", secret: secret),
        .criticalExtension),
      Refusal(
        "unencoded payload (RFC 7797)",
        signed(#"{"alg":"HS256","b64":false,"crit":["b64"]}"#, "x", secret: secret),
        .criticalExtension),
      Refusal(
        "b64 that is not critical", signed(#"{"alg":"HS256","b64":false}"#, "x", secret: secret),
        .criticalExtension),
      Refusal("no signature", String(good.prefix { $0 != "." }) + ".YQ.", .invalidSignature),
      Refusal("another's signature", compact(#"{"alg":"HS256"}"#, "x"), .invalidSignature),
      Refusal(
        "too large", compact(#"{"alg":"HS256"}"#, String(repeating: "x", count: 12_300)), .tooLarge),
    ])
  func algorithm(_ refusal: Refusal) {
    expectRefusal(refusal)
  }

  @Test("the limit is exact, and the caller's to set")
  func limit() throws {
    let key = JWK(secret: SecretBytes(Self.secret), keyID: nil)
    let count = Self.good.utf8.count
    #expect(
      try JWS.verify(Self.good, allowing: [.hs256], bytesMax: count) { _ in key }.payload.count == 7
    )
    #expect(throws: JOSEError.tooLarge) {
      try JWS.verify(Self.good, allowing: [.hs256], bytesMax: count - 1) { _ in key }
    }
  }

  @Test("a public key is no HMAC secret (CVE-2015-9235)")
  func confusion() throws {
    let key = try PrivateKey.generate(.rsa2048)
    let published = try JWK(key.publicKey, keyID: "1", algorithm: .rs256)
    let forged = signed(
      #"{"alg":"HS256","kid":"1"}"#, "x", secret: key.publicKey.spki)
    #expect(throws: JOSEError.self) { try JWS.verify(forged, published, allowing: allAlgorithms) }
    #expect(throws: JOSEError.unknownKey) {
      try JWS.verify(forged, allowing: allAlgorithms, keys: JWKSet([published]))
    }
  }

  @Test("a key serves its own algorithm and no other", arguments: SignatureAlgorithm.allCases)
  func wrongAlgorithm(_ algorithm: SignatureAlgorithm) throws {
    let keys = try [
      SignatureAlgorithm.rs256: JWK.of(Vectors.rs256Key), .es256: JWK.of(Vectors.es256Key),
      .edDSA: JWK.of(Vectors.ed25519Key), .hs256: JWK.of(Vectors.hs256Key),
      .es384: JWK(PrivateKey.generate(.p384).publicKey, keyID: "1", algorithm: .es384),
    ]
    for (owner, key) in keys
    where owner != algorithm && !(owner == .rs256 && algorithm == .ps256) {
      #expect(throws: JOSEError.self) {
        try JWS.verify(
          compact(#"{"alg":"\#(algorithm.rawValue)"}"#, "x", [UInt8](repeating: 1, count: 64)), key,
          allowing: allAlgorithms)
      }
      #expect(throws: JOSEError.self) { try SigningKey(key, algorithm: algorithm) }
    }
  }

  @Test("ECDSA signatures of another length are refused (RFC 7518 section 3.4)")
  func ecdsaLengths() throws {
    let key = try JWK.of(Vectors.es256Key)
    let parts = Vectors.es256.split(separator: ".").map(String.init)
    let signature = try #require(Base64URL.decode(parts[2]))
    let der =
      [0x30, 0x44, 0x02, 0x20] + signature.prefix(32) + [0x02, 0x20] + signature.suffix(32)
    for misfit in [signature + [0], [0] + signature, Array(signature.dropLast()), der, []] {
      let changed = "\(parts[0]).\(parts[1]).\(Base64URL.encode(misfit))"
      #expect(throws: JOSEError.invalidSignature) {
        try JWS.verify(changed, key, allowing: [.es256])
      }
    }
  }

  @Test("a key that the header brings or points to is not looked at (RFC 7515 section 10.6)")
  func embeddedKeys() throws {
    let forger = try PrivateKey.generate(.p256)
    let own = try JWK(PrivateKey.generate(.p256).publicKey, keyID: "1", algorithm: .es256)
    let embedded = try #require(JWK(forger.publicKey, keyID: "1", algorithm: .es256).publicJSON)
    let headers: [JSONObject] = [
      ["jwk": embedded], ["jku": "https://forger.example/jwks"], ["x5u": "https://forger.example/"],
      ["x5c": ["MIIB"]], ["jwk": embedded, "jku": "https://forger.example/jwks"],
    ]
    for header in headers {
      let compact = try JWS.sign(
        [1], header: header, with: SigningKey(forger, algorithm: .es256, keyID: "1"))
      #expect(throws: JOSEError.invalidSignature) {
        try JWS.verify(compact, allowing: [.es256], keys: JWKSet([own]))
      }
    }
  }

  @Test("every part that is cut anywhere is refused")
  func truncated() throws {
    let key = JWK(secret: SecretBytes(Self.secret), keyID: nil)
    for count in 0..<Self.good.utf8.count {
      #expect(throws: JOSEError.self) {
        try JWS.verify(String(Self.good.prefix(count)), key, allowing: [.hs256])
      }
    }
  }

  @Test("the caller's header cannot change alg or kid, nor add what we would refuse")
  func headerOfTheCaller() throws {
    let key = try SigningKey(
      PrivateKey.generate(.p256), algorithm: .es256, keyID: "mine")
    let compact = try JWS.sign(
      [1], header: ["alg": "none", "kid": "yours", "typ": "JWT"], with: key)
    let header = try UnverifiedJWS(compact).header
    #expect(header.algorithm == .es256)
    #expect(header.keyID == "mine")
    #expect(header.type == "JWT")
    #expect(throws: JOSEError.criticalExtension) {
      try JWS.sign([1], header: ["crit": ["exp"]], with: key)
    }
  }

  @Test("a secret shorter than its hash is refused (RFC 7518 section 3.2)")
  func shortSecret() throws {
    let short = JWK(secret: SecretBytes([UInt8](repeating: 1, count: 31)), keyID: nil)
    #expect(throws: JOSEError.unsuitableKey("size")) { try SigningKey(short, algorithm: .hs256) }
    let compact = signed(#"{"alg":"HS256"}"#, "x", secret: [UInt8](repeating: 1, count: 31))
    #expect(throws: JOSEError.unsuitableKey("size")) {
      try JWS.verify(compact, short, allowing: [.hs256])
    }
  }

  /// The good one with the last digit's unused bits set: the same bytes, another spelling.
  static let unusedBits: String = {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    let index = good.last.flatMap { alphabet.firstIndex(of: $0) } ?? 0
    return good.dropLast() + String(alphabet[index + 1])
  }()

  private func expectRefusal(_ refusal: Refusal) {
    let key = JWK(secret: SecretBytes(Self.secret), keyID: nil)
    do throws(JOSEError) {
      _ = try JWS.verify(refusal.compact, key, allowing: [.hs256])
      Issue.record("was accepted")
    } catch {
      // The parser words its own reasons.
      if case .malformed = refusal.error, case .malformed = error { return }
      #expect(error == refusal.error)
    }
  }
}
