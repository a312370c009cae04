import NIOHTTP1
import Cryptography
import Foundation
import JOSE
import NIOHTTP1
import Platform

/// A key of an application or of an issuer outside.
struct TestKey: Sendable {
  let signing: SigningKey
  /// Its public half; null for a shared secret.
  let jwk: JSON

  init(_ algorithm: SignatureAlgorithm = .es256) throws {
    guard let type = algorithm.keyType else { throw TestFailure("\(algorithm) has no key pair.") }
    let key = try PrivateKey.generate(type)
    let kid = UUID().uuidString
    signing = try SigningKey(key, algorithm: algorithm, keyID: kid)
    jwk =
      try JWK(key.publicKey, keyID: kid, algorithm: algorithm).publicJSON ?? .null
  }

  init(secret: String) throws {
    signing = try SigningKey(secret: SecretBytes(secret), keyID: nil)
    jwk = .null
  }

  var set: JSON { ["keys": [jwk]] }

  func sign(_ claims: JSONObject, type: String? = nil) throws -> String {
    try JWT.sign(claims, type: type, with: signing)
  }

  /// The claims of a good assertion, with some changed; null leaves one out.
  static func claims(
    _ issuer: String, _ subject: String, for audience: String, _ changes: JSONObject = [:]
  ) -> JSONObject {
    let now = Int64(Date().timeIntervalSince1970)
    var claims: JSONObject = [
      "iss": .string(issuer), "sub": .string(subject), "aud": .string(audience),
      "iat": .integer(now), "exp": .integer(now + 60), "jti": .string(UUID().uuidString),
    ]
    for (name, value) in changes { claims[name] = value.isNull ? nil : value }
    return claims
  }
}

extension TestTenant {
  /// A request to an endpoint of the tenant, at another process if one is named.
  func post(
    _ endpoint: String, _ form: [(String, String)], headers: [(String, String)] = [],
    at base: String? = nil
  ) async throws -> Reply {
    let address = base.map { issuer.replacingOccurrences(of: admin.baseURL, with: $0) } ?? issuer
    return try await HTTP.post(form: form, to: "\(address)/\(endpoint)", headers: headers)
  }

  func settings(_ changes: JSONObject) async throws {
    try await admin.document(
      .PATCH, path, ["settings": .object(changes)], headers: [("if-match", "*")])
  }

  func events(_ action: String) async throws -> [JSON] {
    try await admin.document(.GET, "\(path)/audit/events?action=\(action)")["events"]?.arrayValue
      ?? []
  }
}

extension [(String, String)] {
  /// A client assertion beside these (RFC 7523 section 2.2).
  func with(assertion: String) -> Self {
    self + [
      ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
      ("client_assertion", assertion),
    ]
  }
}
