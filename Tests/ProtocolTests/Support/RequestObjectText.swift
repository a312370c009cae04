import Cryptography
import Foundation
import JOSE
import Platform

/// A key of an application, made for one test.
struct ApplicationKey: Sendable {
  let signing: SigningKey
  private let published: JSON

  init(_ algorithm: SignatureAlgorithm = .rs256, kid: String = "k1") throws {
    let key = try PrivateKey.generate(algorithm.keyType ?? .p256)
    signing = try SigningKey(key, algorithm: algorithm, keyID: kid)
    published = try JWK(key.publicKey, keyID: kid, algorithm: algorithm).publicJSON ?? .null
  }

  static func set(_ keys: ApplicationKey...) -> JSON {
    ["keys": .array(keys.map(\.published))]
  }

  /// A client assertion (RFC 7523 section 3).
  func assertion(_ client: String, audience: String) throws -> String {
    let now = Int(Date().timeIntervalSince1970)
    return try JWT.sign(
      [
        "iss": .string(client), "sub": .string(client), "aud": .string(audience),
        "jti": .string(UUID().uuidString), "iat": .integer(now), "exp": .integer(now + 60),
      ], type: nil, with: signing)
  }
}

/// The claims of a request object, in compact form (OpenID Connect Core section 6.1).
struct RequestObjectText {
  let claims: JSONObject

  init(_ claims: JSONObject) { self.claims = claims }

  var unsigned: String {
    get throws {
      "\(Base64URL.encode(Array(#"{"alg":"none"}"#.utf8))).\(Base64URL.encode(JSON.object(claims).encoded()))."
    }
  }

  func signed(_ key: ApplicationKey, type: String? = "oauth-authz-req+jwt") throws -> String {
    try JWT.sign(claims, type: type, with: key.signing)
  }
}
