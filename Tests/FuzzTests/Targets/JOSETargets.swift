import Cryptography
import JOSE
import Platform

/// Keys that sign nothing while the fuzzer runs but the one token of ``signed``.
private enum Keys {
  static let hs256 = JWK(secret: SecretBytes([UInt8](repeating: 7, count: 32)), keyID: "h")
  /// RFC 8037 appendix A.2.
  static let edDSA = key(
    #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)
  /// RFC 7515 appendix A.3.1.
  static let es256 = key(
    #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#
  )
  static let set = JWKSet([hs256, edDSA, es256])

  /// Payloads of the signatures among the seeds, which are the only ones there are.
  static let signed: Set<[UInt8]> = [
    Array("Example of Ed25519 signing".utf8),
    Array(
      "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}".utf8),
  ]

  private static func key(_ text: String) -> JWK {
    guard let key = try? JWK.parse(Array(text.utf8)) else { preconditionFailure(text) }
    return key
  }
}

extension FuzzTarget {
  /// Nothing is valid that nobody signed, and what is valid has one spelling.
  static let jws = FuzzTarget(name: "jws") { bytes in
    guard let text = bytes.text, let unverified = try? UnverifiedJWS(text) else { return }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    hold(parts.count == 3, "three parts")
    hold(
      parts.allSatisfy { part in Base64URL.decode(part).map { Base64URL.encode($0) } == part },
      "base64url has one spelling (RFC 4648 section 3.5)")
    hold(unverified.header.members["crit"] == nil, "no critical extension")
    for key in Keys.set.keys {
      guard
        let verified = try? unverified.verified(
          with: key, allowing: Set(SignatureAlgorithm.allCases))
      else { continue }
      hold(Keys.signed.contains(verified.payload), "what nobody signed is not valid")
      _ = try? JWTClaims(payload: verified.payload)
    }
    _ = Keys.set.key(for: unverified.header)
    if let payload = Base64URL.decode(parts[1]) { _ = try? JWTClaims(payload: payload) }
  }

  /// A key that is read is published, and read again, as the same key.
  static let jwk = FuzzTarget(name: "jwk") { bytes in
    if let set = try? JWKSet.parse(bytes) {
      let again = try? JWKSet.parse(set.encodedPublic())
      hold(
        again?.keys.map(\.thumbprint) == set.keys.compactMap { $0.publicKey?.thumbprint },
        "a set that is published is read again")
    }
    guard let key = try? JWK.parse(bytes), let json = key.publicJSON else { return }
    hold((try? JWK(json))?.thumbprint == key.thumbprint, "a key that is published is read again")
    hold(json["d"] == nil && json["p"] == nil && json["k"] == nil, "without its private numbers")
  }

  /// What passes for unsigned is no signature, whoever reads it.
  static let requestObject = FuzzTarget(name: "requestObject") { bytes in
    guard let text = bytes.text else { return }
    guard (try? UnsignedRequestObject(text, registeredAlgorithm: "none")) != nil else { return }
    hold((try? UnverifiedJWS(text)) == nil, "unsigned is not signed")
    hold(
      (try? UnsignedRequestObject(text, registeredAlgorithm: nil)) == nil,
      "nothing is unsigned for a client that did not ask for it")
  }
}
