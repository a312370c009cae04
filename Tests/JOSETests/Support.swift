import Cryptography
import JOSE
import Platform

extension JWK {
  static func of(_ text: String) throws -> JWK { try JWK.parse(Array(text.utf8)) }
}

extension JWS {
  static func verify(
    _ compact: String, _ key: JWK, allowing algorithms: Set<SignatureAlgorithm>
  ) throws(JOSEError) -> VerifiedJWS {
    try verify(compact, allowing: algorithms) { _ throws(JOSEError) in key }
  }
}

/// A compact serialization of a header and a payload as text, with an arbitrary signature.
func compact(_ header: String, _ payload: String, _ signature: [UInt8] = [1]) -> String {
  [Array(header.utf8), Array(payload.utf8), signature].map { Base64URL.encode($0) }
    .joined(separator: ".")
}

/// The same, signed as HS256 whatever the header says.
func signed(_ header: String, _ payload: String, secret: [UInt8]) -> String {
  let input = [header, payload].map { Base64URL.encode(Array($0.utf8)) }.joined(separator: ".")
  return input + "." + Base64URL.encode(HMACKey(secret).sha256(input))
}

let allAlgorithms = Set(SignatureAlgorithm.allCases)
