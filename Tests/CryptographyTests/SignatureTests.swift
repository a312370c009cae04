import Platform
import Testing

@testable import Cryptography

@Suite("Signatures")
struct SignatureTests {
  struct Case: Sendable {
    let type: KeyType
    let scheme: SignatureScheme
    let signatureCount: Int
  }

  static let cases = [
    Case(type: .rsa2048, scheme: .rsaPKCS1SHA256, signatureCount: 256),
    Case(type: .rsa2048, scheme: .rsaPSSSHA256, signatureCount: 256),
    Case(type: .p256, scheme: .ecdsaP256SHA256, signatureCount: 64),
    Case(type: .p384, scheme: .ecdsaP384SHA384, signatureCount: 96),
    Case(type: .ed25519, scheme: .ed25519, signatureCount: 64),
  ]

  @Test(
    "a signature verifies, and only over its message, with its key and its scheme", arguments: cases
  )
  func roundTrip(_ value: Case) throws {
    let key = try PrivateKey.generate(value.type)
    let other = try PrivateKey.generate(value.type)
    let message = Array("to be signed".utf8)
    #expect(key.type == value.type)
    // More often than contexts are kept, and after failures, which drop their context.
    for _ in 0..<6 {
      let signature = try key.sign(message, scheme: value.scheme)
      #expect(signature.count == value.signatureCount)
      #expect(key.publicKey.verify(signature, of: message, scheme: value.scheme))
      #expect(!key.publicKey.verify(signature, of: message + [0], scheme: value.scheme))
      #expect(!other.publicKey.verify(signature, of: message, scheme: value.scheme))
      for scheme in SignatureScheme.allCases where scheme != value.scheme {
        #expect(!key.publicKey.verify(signature, of: message, scheme: scheme))
      }
    }
  }

  @Test("a signature of another length is refused", arguments: cases)
  func lengths(_ value: Case) throws {
    let key = try PrivateKey.generate(value.type)
    let message = Array("to be signed".utf8)
    let signature = try key.sign(message, scheme: value.scheme)
    let misfits = [
      [], Array(signature.dropLast()), signature + [0], [0] + signature,
      [UInt8](repeating: 0, count: signature.count),
      [UInt8](repeating: 0xff, count: signature.count),
    ]
    for misfit in misfits {
      #expect(!key.publicKey.verify(misfit, of: message, scheme: value.scheme))
    }
  }

  @Test("ECDSA in DER is refused: only r || s of full length (RFC 7518 section 3.4)")
  func derSignature() throws {
    let key = try PrivateKey.generate(.p256)
    let signature = try key.sign([1], scheme: .ecdsaP256SHA256)
    let der = try #require(ECDSAEncoding.der(fromRaw: signature, scalarCount: 32))
    #expect(!key.publicKey.verify(der, of: [1], scheme: .ecdsaP256SHA256))
    #expect(try ECDSAEncoding.raw(fromDER: der, scalarCount: 32) == signature)
  }

  @Test("small numbers keep their leading zeros")
  func leadingZeros() throws {
    let raw = [UInt8](repeating: 0, count: 31) + [5] + [UInt8](repeating: 0, count: 30) + [1, 200]
    let der = try #require(ECDSAEncoding.der(fromRaw: raw, scalarCount: 32))
    #expect(try ECDSAEncoding.raw(fromDER: der, scalarCount: 32) == raw)
  }

  @Test("a key does not sign with a scheme of another type")
  func unsuitable() throws {
    let key = try PrivateKey.generate(.p256)
    for scheme in SignatureScheme.allCases where scheme != .ecdsaP256SHA256 {
      #expect(throws: CryptographyError.unsuitableKey) { try key.sign([1], scheme: scheme) }
    }
  }

  @Test("RFC 8032 section 7.1, test 2")
  func ed25519Vector() throws {
    let publicKey = try #require(
      Hex.decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
    let seed = try #require(
      Hex.decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    let key = try PrivateKey(.ed25519(publicKey: publicKey, seed: SecretBytes(seed)))
    #expect(
      Hex.encode(try key.sign([0x72], scheme: .ed25519))
        == "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
  }

  @Test("one key signs for many callers at once", arguments: cases)
  func concurrent(_ value: Case) async throws {
    let key = try PrivateKey.generate(value.type)
    await withTaskGroup(of: Bool.self) { group in
      for number in 0..<32 {
        group.addTask {
          let message = Array("message \(number)".utf8)
          guard let signature = try? key.sign(message, scheme: value.scheme) else { return false }
          return key.publicKey.verify(signature, of: message, scheme: value.scheme)
        }
      }
      for await isValid in group { #expect(isValid) }
    }
  }
}

@Suite("Keys")
struct KeyTests {
  static let types: [KeyType] = [.rsa2048, .rsa(bits: 3072), .p256, .p384, .ed25519]

  @Test("PKCS #8, SubjectPublicKeyInfo and numbers describe the same key", arguments: types)
  func forms(_ type: KeyType) throws {
    let key = try PrivateKey.generate(type)
    let scheme = try #require(SignatureScheme.allCases.first { $0.fits(type) })
    let stored = try key.pkcs8()
    let loaded = try PrivateKey(pkcs8: stored)
    #expect(loaded.type == type)
    #expect(loaded.publicKey.components == key.publicKey.components)
    let signature = try loaded.sign([1, 2, 3], scheme: scheme)
    let published = try PublicKey(key.publicKey.components)
    #expect(published.verify(signature, of: [1, 2, 3], scheme: scheme))
    let certified = try PublicKey(spki: key.publicKey.spki)
    #expect(certified.verify(signature, of: [1, 2, 3], scheme: scheme))
    #expect(certified.components == key.publicKey.components)
  }

  @Test("bytes after a key, and a key cut short, are refused", arguments: types)
  func trailingBytes(_ type: KeyType) throws {
    let key = try PrivateKey.generate(type)
    let stored = try key.pkcs8().reveal()
    let spki = key.publicKey.spki
    for bytes in [stored + [0], Array(stored.dropLast()), [], spki] {
      #expect(throws: CryptographyError.self) { try PrivateKey(pkcs8: bytes) }
    }
    for bytes in [spki + [0], Array(spki.dropLast()), [], stored] {
      #expect(throws: CryptographyError.self) { try PublicKey(spki: bytes) }
    }
  }

  struct Foreign: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let spki: String
  }

  @Test(
    "what the product does not use is refused",
    arguments: [
      Foreign(
        testDescription: "RSA of 1024 bits",
        spki: "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC7Q6G4h85M091C2x3HKOjA4dWDwvbvlXoKuI7PuQgXEva"
          + "+Srmo25svgJtcNSzeC9GT9+IP6DxiF7fITU4TU30/JxWLq4+z75f8seWnUPj9M8tfU1Q1slHtB4ABrgpi9Y"
          + "qTblZ6/LXBZNXTnAd2OMbYW+HxNxMDaFufjbm+vVvpRwIDAQAB"),
      Foreign(
        testDescription: "P-521",
        spki: "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBPAg0EePFQ+9aBwqpB9GOfYN60AZmIGgcfSY2HZxmkHdTdZ"
          + "HyB+LRbaIbL+7aipxnZVlTRl32WfzRlfzsfQUsc4QAnhLmL9+XCGvGHiYmHMX9EcEVpqpuSLckI137ONzIW"
          + "BgQS3jRbtMopYSPz4/dgi0H2cvTXnt17y2lpuNGYAOfTIw="),
      Foreign(
        testDescription: "secp256k1",
        spki: "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE1fH3q9rtswEedCwxFURr8RucMZhsDjrFN9bX0Zg5tatfYFsV7p"
          + "TAoCSU60+3JIJoDhh3dZZFEsjhdGYF29GOew=="),
      Foreign(
        testDescription: "X25519",
        spki: "MCowBQYDK2VuAyEAJ4ptzKoMyGbNgH1ILDxwqfvc2a4facly/y8i8nsoKXU="),
      Foreign(
        testDescription: "P-256 by explicit parameters",
        spki: "MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA//////"
          + "//////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57PrvVV2mIa8Z"
          + "R0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt"
          + "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+"
          + "85vqtpxeehPO5ysL8YyVRAgEBA0IABElfnWvpe0OWwMShyHANAyi/vVM+5vv/6YjoUkqFwEjT047aq6rAgq"
          + "ovTy/Yh+BtFB0DufiJU/QJh76I1kxBv0A="),
    ])
  func foreignKeys(_ foreign: Foreign) throws {
    let bytes = try #require(Base64.decode(foreign.spki))
    #expect(throws: CryptographyError.self) { try PublicKey(spki: bytes) }
  }

  @Test("a point that is not on the curve, or too short, is refused")
  func invalidPoints() throws {
    guard case .p256(let x, var y) = try PrivateKey.generate(.p256).publicKey.components else {
      Issue.record("not a P-256 key")
      return
    }
    y[31] ^= 1
    let zero = [UInt8](repeating: 0, count: 32)
    let misfits: [PublicComponents] = [
      .p256(x: x, y: y), .p256(x: zero, y: zero), .p256(x: x, y: Array(y.dropFirst())),
      .p256(x: [0] + x, y: y), .p384(x: x, y: y), .p256(x: [], y: []),
      .ed25519(Array(x.dropLast())), .ed25519(x + [0]),
    ]
    for misfit in misfits {
      #expect(throws: CryptographyError.self) { try PublicKey(misfit) }
    }
  }

  @Test("odd RSA numbers are refused")
  func invalidRSA() throws {
    guard
      case .rsa(let modulus, let exponent) = try PrivateKey.generate(.rsa2048).publicKey.components
    else {
      Issue.record("not an RSA key")
      return
    }
    let misfits: [PublicComponents] = [
      .rsa(modulus: modulus, exponent: []), .rsa(modulus: modulus, exponent: [1]),
      .rsa(modulus: modulus, exponent: [2]), .rsa(modulus: modulus, exponent: [0] + exponent),
      .rsa(modulus: modulus, exponent: modulus), .rsa(modulus: [0] + modulus, exponent: exponent),
      .rsa(modulus: Array(modulus.prefix(128)), exponent: exponent),
      .rsa(modulus: Array(modulus.dropLast()) + [2], exponent: exponent),
      .rsa(modulus: [], exponent: exponent),
    ]
    for misfit in misfits {
      #expect(throws: CryptographyError.self) { try PublicKey(misfit) }
    }
  }

  @Test("halves of different keys are refused")
  func mismatchedHalves() throws {
    let seed = SecretBytes([UInt8](repeating: 3, count: 32))
    let other = try PrivateKey.generate(.ed25519).publicKey.components
    guard case .ed25519(let publicKey) = other else {
      Issue.record("not an Ed25519 key")
      return
    }
    #expect(throws: CryptographyError.self) {
      try PrivateKey(.ed25519(publicKey: publicKey, seed: seed))
    }
    guard case .p256(let x, let y) = try PrivateKey.generate(.p256).publicKey.components else {
      Issue.record("not a P-256 key")
      return
    }
    #expect(throws: CryptographyError.self) { try PrivateKey(.p256(x: x, y: y, d: seed)) }
  }
}
