import Cryptography
import JOSE
import Platform
import Testing

@Suite("RFC 7517, 7638, 8037: keys")
struct JWKTests {
  @Test("thumbprints printed in RFC 7638 section 3.1 and RFC 8037 appendix A.3")
  func thumbprints() throws {
    let printed = Vectors.entries("thumbprints")
    #expect(printed.count == 2)
    for (document, entry) in printed {
      let key = try JWK(try #require(entry["key"]))
      #expect(key.thumbprint == entry["thumbprint"]?.stringValue, "\(document)")
    }
    // From either half.
    #expect(
      try JWK.of(Vectors.ed25519Key).thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
  }

  @Test("RFC 7517 appendix A: public, private and symmetric sets")
  func printedSets() throws {
    let sets = try Vectors.entries("sets").map { try JWKSet(try #require($0.entry["set"])) }
    #expect(
      sets.map { $0.keys.map(\.keyID) } == [
        ["1", "2011-04-29"], ["1", "2011-04-29"],
        [nil, "HMAC key used in JWS spec Appendix A.1 example"],
      ])
    #expect(
      sets.map { $0.keys.map(\.use) } == [[.encryption, nil], [.encryption, nil], [nil, nil]])
    #expect(
      sets.map { $0.keys.map(\.algorithm) }
        == [[nil, "RS256"], [nil, "RS256"], ["A128KW", nil]])
    // The public halves of A.2 are A.1, which is published as it was read.
    let first = try #require(Vectors.entries("sets").first?.entry["set"])
    #expect(sets[0].publicJSON == first)
    #expect(sets[1].publicJSON == first)
    #expect(sets[2].publicJSON == ["keys": []])
  }

  @Test("keys printed in RFC 7517 B, 7518 C, 7520 section 3 and RFC 8037 A")
  func printedKeys() throws {
    let keys = Vectors.entries("keys")
    #expect(keys.count == 11)
    for (document, entry) in keys {
      let name = "\(document) \(entry["section"]?.text ?? "")"
      let json = try #require(entry["key"])
      guard json["crv"] != "P-521" else {
        #expect(throws: JOSEError.unsuitableKey("crv"), "\(name)") { try JWK(json) }
        continue
      }
      let key = try JWK(json)
      switch key.material {
      case .publicKey: #expect(json["d"] == nil, "\(name)")
      case .privateKey: #expect(json["d"] != nil, "\(name)")
      case .secret: #expect(json["kty"] == "oct", "\(name)")
      }
    }
  }

  @Test("RFC 7517 appendices A.2 and A.3: private numbers and secrets never leave")
  func secretsStay() throws {
    let texts = [
      Vectors.rs256Key, Vectors.es256Key, Vectors.ed25519Key, Vectors.hs256Key,
      Vectors.cookbookHS256Key,
    ]
    let set = JWKSet(try texts.map(JWK.of))
    #expect(set.publicJSON["keys"]?.arrayValue?.count == 3)
    for key in set.publicJSON["keys"]?.arrayValue ?? [] {
      let names = try #require(key.objectValue).names
      #expect(Set(names).isDisjoint(with: ["d", "p", "q", "dp", "dq", "qi", "k", "oth"]))
    }
    #expect(try JWK.of(Vectors.hs256Key).thumbprint == nil)
  }

  @Test("a key of ours is published with kid, use and alg", arguments: SignatureAlgorithm.allCases)
  func published(_ algorithm: SignatureAlgorithm) throws {
    guard let type = algorithm.keyType else { return }
    let key = try PrivateKey.generate(type)
    let keyID = key.publicKey.thumbprint
    let jwk = try JWK(key.publicKey, keyID: keyID, algorithm: algorithm)
    let set = try JWKSet.parse(JWKSet([jwk]).encodedPublic())
    let found = try #require(set.keys.first)
    #expect(found.keyID == keyID)
    #expect(found.use == .signature)
    #expect(found.algorithm == algorithm.rawValue)
    #expect(found.thumbprint == keyID)
    let signingKey = try SigningKey(key, algorithm: algorithm, keyID: keyID)
    let compact = try JWS.sign([1, 2, 3], header: [:], with: signingKey)
    #expect(try JWS.verify(compact, allowing: [algorithm], keys: set).payload == [1, 2, 3])
  }

  @Test("a key cannot be published for an algorithm it does not fit")
  func publishedMisfit() throws {
    let key = try PrivateKey.generate(.p256).publicKey
    for algorithm in SignatureAlgorithm.allCases where algorithm != .es256 {
      #expect(throws: JOSEError.self) { try JWK(key, keyID: "1", algorithm: algorithm) }
    }
  }

  @Test(
    "keys for another purpose do not verify",
    arguments: [
      #""use":"enc""#, #""key_ops":["sign"]"#, #""key_ops":[]"#, #""alg":"PS256""#,
      #""alg":"RSA-OAEP""#,
    ])
  func wrongPurpose(_ member: String) throws {
    let json = try JSON.parse(Array("{\(member)}".utf8), limits: .request)
    let own = try #require(JWK.of(Vectors.rs256Key).publicJSON?.objectValue)
    let key = try JWK(.object(own.merging(try #require(json.objectValue))))
    #expect(throws: JOSEError.self) { try JWS.verify(Vectors.rs256, key, allowing: [.rs256]) }
    #expect(throws: JOSEError.unknownKey) {
      try JWS.verify(Vectors.rs256, allowing: [.rs256], keys: JWKSet([key]))
    }
  }

  struct Malformed: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String

    init(_ description: String, _ text: String) {
      testDescription = description
      self.text = text
    }
  }

  static let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
  static let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
  static let ed = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
  static let n1024 =
    "u0OhuIfOTNPdQtsdxyjowOHVg8L275V6CriOz7kIFxL2vkq5qNubL4CbXDUs3gvRk_fiD-g8Yhe3yE1OE1N9PycV"
    + "i6uPs--X_LHlp1D4_TPLX1NUNbJR7QeAAa4KYvWKk25Wevy1wWTV05wHdjjG2Fvh8TcTA2hbn425vr1b6Uc"

  @Test(
    "malformed and weak keys are refused",
    arguments: [
      Malformed("not an object", "[]"),
      Malformed("no kty", "{}"),
      Malformed("unknown kty", #"{"kty":"XYZ"}"#),
      Malformed("kty in lower case", #"{"kty":"ec","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#),
      Malformed("RSA of 1024 bits", #"{"kty":"RSA","n":"\#(n1024)","e":"AQAB"}"#),
      Malformed("RSA without e", #"{"kty":"RSA","n":"\#(n1024)"}"#),
      Malformed("no y", #"{"kty":"EC","crv":"P-256","x":"\#(x)"}"#),
      Malformed("padding", #"{"kty":"EC","crv":"P-256","x":"\#(x)=","y":"\#(y)"}"#),
      Malformed("unused bits", #"{"kty":"EC","crv":"P-256","x":"\#(x.dropLast())V","y":"\#(y)"}"#),
      Malformed("short x", #"{"kty":"EC","crv":"P-256","x":"AQAB","y":"\#(y)"}"#),
      Malformed("not on the curve", #"{"kty":"EC","crv":"P-256","x":"\#(y)","y":"\#(x)"}"#),
      Malformed("wrong curve", #"{"kty":"EC","crv":"P-384","x":"\#(x)","y":"\#(y)"}"#),
      Malformed("secp256k1", #"{"kty":"EC","crv":"secp256k1","x":"\#(x)","y":"\#(y)"}"#),
      Malformed("X25519", #"{"kty":"OKP","crv":"X25519","x":"\#(ed)"}"#),
      Malformed("Ed25519 too short", #"{"kty":"OKP","crv":"Ed25519","x":"AQAB"}"#),
      Malformed("empty k", #"{"kty":"oct","k":""}"#),
      Malformed(
        "d of another key", #"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)","d":"\#(x)"}"#),
      Malformed(
        "duplicate kty", #"{"kty":"oct","kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#),
      Malformed("kid is a number", #"{"kty":"OKP","crv":"Ed25519","x":"\#(ed)","kid":1}"#),
      Malformed("unknown use", #"{"kty":"OKP","crv":"Ed25519","x":"\#(ed)","use":"tls"}"#),
      Malformed(
        "key_ops twice",
        #"{"kty":"OKP","crv":"Ed25519","x":"\#(ed)","key_ops":["verify","verify"]}"#),
      Malformed("key_ops of numbers", #"{"kty":"OKP","crv":"Ed25519","x":"\#(ed)","key_ops":[1]}"#),
    ])
  func malformed(_ malformed: Malformed) throws {
    #expect(throws: JOSEError.self) { try JWK.of(malformed.text) }
    // In a set it is left out (RFC 7517 section 5), unless the JSON itself is wrong.
    guard malformed.testDescription != "duplicate kty" else { return }
    let good = #"{"kty":"OKP","crv":"Ed25519","x":"\#(Self.ed)"}"#
    let set = try JWKSet.parse(Array("{\"keys\":[\(malformed.text),\(good)]}".utf8))
    #expect(set.keys.count == 1)
  }

  @Test("a set that is no set is refused", arguments: ["[]", "{}", #"{"keys":{}}"#, ""])
  func malformedSet(_ text: String) {
    #expect(throws: JOSEError.self) { try JWKSet.parse(Array(text.utf8)) }
  }

  @Test("a set of more than 100 keys, or of too many bytes, is refused")
  func largeSet() {
    let keys = [String](repeating: "{}", count: 101).joined(separator: ",")
    #expect(throws: JOSEError.tooLarge) { try JWKSet.parse(Array("{\"keys\":[\(keys)]}".utf8)) }
    #expect(throws: JOSEError.tooLarge) {
      try JWKSet.parse(Array("{\"keys\":[]}".utf8), bytesMax: 10)
    }
  }

  @Test("a set answers by kid, or with its only fitting key, never with a guess")
  func lookup() throws {
    let first = try PrivateKey.generate(.p256)
    let second = try PrivateKey.generate(.p256)
    let rsa = try PrivateKey.generate(.rsa2048)
    let set = JWKSet([
      try JWK(first.publicKey, keyID: "a", algorithm: .es256),
      try JWK(second.publicKey, keyID: "b", algorithm: .es256),
      try JWK(rsa.publicKey, keyID: "c", algorithm: .rs256),
      try JWK(rsa.publicKey, keyID: "c", algorithm: .ps256),
    ])
    func found(_ key: PrivateKey, _ algorithm: SignatureAlgorithm, _ keyID: String?) throws -> Bool
    {
      let compact = try JWS.sign(
        [1], header: [:], with: SigningKey(key, algorithm: algorithm, keyID: keyID))
      return (try? JWS.verify(compact, allowing: allAlgorithms, keys: set)) != nil
    }
    #expect(try found(first, .es256, "a"))
    #expect(try found(second, .es256, "b"))
    #expect(try !found(first, .es256, "b"))
    #expect(try !found(first, .es256, "x"))
    #expect(try !found(first, .es256, nil))
    #expect(try found(rsa, .rs256, nil))
    #expect(try found(rsa, .rs256, "c"))
    #expect(try found(rsa, .ps256, "c"))
  }
}
