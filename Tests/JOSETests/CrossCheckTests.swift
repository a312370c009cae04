import Cryptography
import Foundation
import JOSE
import JWTKit
import Platform
import Testing

/// What one side signs the other verifies, in both directions (decision 0011).
@Suite("Cross-check against vapor/jwt-kit")
struct CrossCheckTests {
  struct Payload: JWTPayload, Equatable {
    var iss: String
    var sub: String
    var exp: ExpirationClaim

    func verify(using algorithm: some JWTAlgorithm) throws {}
  }

  static let payload = Payload(
    iss: "https://issuer.example", sub: "Ålice \u{1F511}",
    exp: ExpirationClaim(value: Date(timeIntervalSince1970: 4_000_000_000)))

  /// One key on both sides.
  struct Pair: Sendable {
    let signing: SigningKey
    let verifying: JOSE::JWK
    let theirs: JWTKeyCollection
    let theirPublic: JWTKeyCollection
  }

  static func pair(_ algorithm: SignatureAlgorithm) async throws -> Pair {
    let (theirs, theirPublic) = (JWTKeyCollection(), JWTKeyCollection())
    switch algorithm {
    case .hs256:
      let bytes = RandomSource.system.bytes(32)
      await theirs.add(hmac: JWTKit.HMACKey(from: bytes), digestAlgorithm: .sha256)
      await theirPublic.add(hmac: JWTKit.HMACKey(from: bytes), digestAlgorithm: .sha256)
      let secret = SecretBytes(bytes)
      return Pair(
        signing: try SigningKey(secret: secret, keyID: nil),
        verifying: JOSE::JWK(secret: secret, keyID: nil), theirs: theirs, theirPublic: theirPublic)
    case .edDSA:
      // The seed has to be known to both: RFC 8037 appendix A.1's.
      let key = try JOSE::JWK.of(Vectors.ed25519Key)
      let json = try JSON.parse(Array(Vectors.ed25519Key.utf8), limits: .request)
      await theirs.add(
        eddsa: try EdDSA.PrivateKey(d: json["d"]?.stringValue ?? "", curve: .ed25519))
      await theirPublic.add(
        eddsa: try EdDSA.PublicKey(x: json["x"]?.stringValue ?? "", curve: .ed25519))
      return Pair(
        signing: try SigningKey(key, algorithm: .edDSA), verifying: key, theirs: theirs,
        theirPublic: theirPublic)
    case .rs256, .ps256, .es256, .es384:
      let key = try PrivateKey.generate(try #require(algorithm.keyType))
      let der = try key.pkcs8()
      let secretPEM = pem("PRIVATE KEY", der.reveal())
      let publicPEM = pem("PUBLIC KEY", key.publicKey.spki)
      switch algorithm {
      case .es256:
        await theirs.add(ecdsa: try ES256PrivateKey(pem: secretPEM))
        await theirPublic.add(ecdsa: try ES256PublicKey(pem: publicPEM))
      case .es384:
        await theirs.add(ecdsa: try ES384PrivateKey(pem: secretPEM))
        await theirPublic.add(ecdsa: try ES384PublicKey(pem: publicPEM))
      case .ps256:
        await theirs.add(pss: try Insecure.RSA.PrivateKey(pem: secretPEM), digestAlgorithm: .sha256)
        await theirPublic.add(
          pss: try Insecure.RSA.PublicKey(pem: publicPEM), digestAlgorithm: .sha256)
      default:
        await theirs.add(rsa: try Insecure.RSA.PrivateKey(pem: secretPEM), digestAlgorithm: .sha256)
        await theirPublic.add(
          rsa: try Insecure.RSA.PublicKey(pem: publicPEM), digestAlgorithm: .sha256)
      }
      return Pair(
        signing: try SigningKey(key, algorithm: algorithm, keyID: nil),
        verifying: try JOSE::JWK(key.publicKey, keyID: "1", algorithm: algorithm), theirs: theirs,
        theirPublic: theirPublic)
    }
  }

  private static func pem(_ label: String, _ bytes: [UInt8]) -> String {
    "-----BEGIN \(label)-----\n"
      + Data(bytes).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
      + "\n-----END \(label)-----\n"
  }

  @Test("they verify what we sign", arguments: SignatureAlgorithm.allCases)
  func ours(_ algorithm: SignatureAlgorithm) async throws {
    let pair = try await Self.pair(algorithm)
    let claims: JSONObject = [
      "iss": .string(Self.payload.iss), "sub": .string(Self.payload.sub),
      "exp": .integer(4_000_000_000),
    ]
    for _ in 0..<10 {
      let token = try JWT.sign(claims, type: "JWT", with: pair.signing)
      #expect(try await pair.theirPublic.verify(token, as: Payload.self) == Self.payload)
      var parts = token.split(separator: ".").map(String.init)
      parts[1] = Base64URL.encode(Array("{}".utf8))
      let forged = parts.joined(separator: ".")
      await #expect(throws: (any Error).self) {
        try await pair.theirPublic.verify(forged, as: Payload.self)
      }
    }
  }

  @Test("we verify what they sign", arguments: SignatureAlgorithm.allCases)
  func theirs(_ algorithm: SignatureAlgorithm) async throws {
    let pair = try await Self.pair(algorithm)
    let policy = JWTPolicy(
      issuer: Self.payload.iss, audiences: [], type: "JWT", expiry: .required, leewaySeconds: 0)
    for _ in 0..<10 {
      let token = try await pair.theirs.sign(Self.payload)
      let claims = try JWT.verify(token, allowing: [algorithm], expecting: policy, now: Date()) {
        _ in pair.verifying
      }
      #expect(claims.subject == Self.payload.sub)
      #expect(claims.expiresAt == Self.payload.exp.value)
    }
  }

  @Test("both read a published set alike")
  func sets() async throws {
    let algorithms: [SignatureAlgorithm] = [.rs256, .es256, .es384, .edDSA]
    var published: [JOSE::JWK] = []
    var tokens: [String] = []
    for (index, algorithm) in algorithms.enumerated() {
      let key = try PrivateKey.generate(try #require(algorithm.keyType))
      published.append(try JOSE::JWK(key.publicKey, keyID: "\(index)", algorithm: algorithm))
      tokens.append(
        try JWT.sign(
          ["iss": "i", "sub": "s", "exp": .integer(4_000_000_000)], type: "JWT",
          with: SigningKey(key, algorithm: algorithm, keyID: "\(index)")))
    }
    let theirs = JWTKeyCollection()
    try await theirs.add(
      jwksJSON: String(decoding: JWKSet(published).encodedPublic(), as: UTF8.self))
    for token in tokens {
      #expect(try await theirs.verify(token, as: Payload.self).sub == "s")
    }
  }
}
