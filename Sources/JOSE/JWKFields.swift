import Cryptography
import Platform

/// The members of a JWK, read by key type (RFC 7518 section 6, RFC 8037 section 2).
struct JWKFields {
  private let object: JSONObject

  init(_ object: JSONObject) {
    self.object = object
  }

  func material() throws(JOSEError) -> JWK.Material {
    switch try required("kty") {
    case "RSA": try rsa()
    case "EC": try ec()
    case "OKP": try okp()
    case "oct": .secret(try secret("k"))
    default: throw .unsuitableKey("kty")
    }
  }

  func optional(_ name: String) throws(JOSEError) -> String? {
    guard let value = object[name] else { return nil }
    guard let text = value.stringValue, !text.isEmpty, text.utf8.count <= Self.textBytesMax else {
      throw .malformed(name)
    }
    return text
  }

  /// RFC 7517 section 4.3: strings, each once.
  func operations() throws(JOSEError) -> [String]? {
    guard let value = object["key_ops"] else { return nil }
    guard let elements = value.arrayValue, elements.count <= 16 else { throw .malformed("key_ops") }
    let names = elements.compactMap(\.stringValue)
    guard names.count == elements.count, Set(names).count == names.count else {
      throw .malformed("key_ops")
    }
    return names
  }

  private static let textBytesMax = 512

  private func rsa() throws(JOSEError) -> JWK.Material {
    let modulus = try bytes("n")
    let exponent = try bytes("e")
    guard object["d"] != nil else {
      return .publicKey(
        try adopt { () throws(CryptographyError) in
          try PublicKey(.rsa(modulus: modulus, exponent: exponent))
        })
    }
    // RFC 7518 section 6.3.2.7: keys of more than two primes, which nobody makes.
    guard object["oth"] == nil else { throw .unsuitableKey("oth") }
    let components = PrivateComponents.rsa(
      modulus: modulus, exponent: exponent, privateExponent: try secret("d"), p: try secret("p"),
      q: try secret("q"), dp: try secret("dp"), dq: try secret("dq"), qi: try secret("qi"))
    return .privateKey(
      try adopt { () throws(CryptographyError) in try PrivateKey(components) })
  }

  private func ec() throws(JOSEError) -> JWK.Material {
    let curve = try required("crv")
    let x = try bytes("x")
    let y = try bytes("y")
    guard curve == "P-256" || curve == "P-384" else { throw .unsuitableKey("crv") }
    guard object["d"] != nil else {
      return .publicKey(
        try adopt { () throws(CryptographyError) in
          try PublicKey(curve == "P-256" ? .p256(x: x, y: y) : .p384(x: x, y: y))
        })
    }
    let d = try secret("d")
    return .privateKey(
      try adopt { () throws(CryptographyError) in
        try PrivateKey(curve == "P-256" ? .p256(x: x, y: y, d: d) : .p384(x: x, y: y, d: d))
      })
  }

  private func okp() throws(JOSEError) -> JWK.Material {
    guard try required("crv") == "Ed25519" else { throw .unsuitableKey("crv") }
    let x = try bytes("x")
    guard object["d"] != nil else {
      return .publicKey(
        try adopt { () throws(CryptographyError) in try PublicKey(.ed25519(x)) })
    }
    let seed = try secret("d")
    return .privateKey(
      try adopt { () throws(CryptographyError) in
        try PrivateKey(.ed25519(publicKey: x, seed: seed))
      })
  }

  private func required(_ name: String) throws(JOSEError) -> String {
    guard let text = try optional(name) else { throw .malformed(name) }
    return text
  }

  private func bytes(_ name: String) throws(JOSEError) -> [UInt8] {
    guard let text = object[name]?.stringValue, let bytes = Base64URL.decode(text), !bytes.isEmpty
    else { throw .malformed(name) }
    return bytes
  }

  private func secret(_ name: String) throws(JOSEError) -> SecretBytes {
    SecretBytes(try bytes(name))
  }

  private func adopt<Key>(_ make: () throws(CryptographyError) -> Key) throws(JOSEError) -> Key {
    do throws(CryptographyError) {
      return try make()
    } catch .invalidKey(let reason) {
      throw .unsuitableKey(reason)
    } catch {
      throw .unsuitableKey("refused")
    }
  }
}
