import Platform
import Testing

@testable import Cryptography

@Suite("AES-256-GCM sealing")
struct SealingTests {
  @Test("NIST CAVP encryption and decryption", arguments: gcmVectors)
  func vectors(_ vector: GCMVector) throws {
    let key = try SymmetricKey(try #require(Hex.decode(vector.key)))
    let nonce = try #require(Hex.decode(vector.nonce))
    let plaintext = try #require(Hex.decode(vector.plaintext))
    let data = try #require(Hex.decode(vector.additionalData))
    let ciphertext = try #require(Hex.decode(vector.ciphertext))
    let tag = try #require(Hex.decode(vector.tag))
    #expect(
      AESGCM.encrypt(plaintext, key: key, nonce: nonce, additionalData: data) == ciphertext + tag)
    #expect(
      try AESGCM.decrypt(ciphertext, tag: tag, key: key, nonce: nonce, additionalData: data)
        == plaintext)
    // The whole sealed form opens too, so old records stay readable as long as this test is.
    #expect(
      try AESGCM.open([1] + nonce + ciphertext + tag, key: key, additionalData: data) == plaintext)
  }

  @Test("what is sealed opens, and never looks the same twice", arguments: [0, 1, 16, 4_096])
  func roundTrip(count: Int) throws {
    let key = SymmetricKey()
    let plaintext = [UInt8](repeating: 7, count: count)
    let sealed = AESGCM.seal(plaintext, key: key, additionalData: [1, 2])
    #expect(sealed.count == count + AESGCM.overhead)
    #expect(sealed.first == AESGCM.version)
    #expect(sealed != AESGCM.seal(plaintext, key: key, additionalData: [1, 2]))
    #expect(try AESGCM.open(sealed, key: key, additionalData: [1, 2]) == plaintext)
  }

  @Test("a change of any byte is refused")
  func tampering() throws {
    let key = SymmetricKey()
    let sealed = AESGCM.seal(Array("claims".utf8), key: key, additionalData: [9])
    for position in sealed.indices {
      var changed = sealed
      changed[position] ^= 1
      #expect(throws: CryptographyError.authenticationFailed) {
        try AESGCM.open(changed, key: key, additionalData: [9])
      }
    }
  }

  @Test("another key, another record, a missing or an extra byte are refused")
  func misfits() throws {
    let key = SymmetricKey()
    let sealed = AESGCM.seal(Array("claims".utf8), key: key, additionalData: [9])
    let misfits: [([UInt8], SymmetricKey, [UInt8])] = [
      (sealed, SymmetricKey(), [9]), (sealed, key, [8]), (sealed, key, []),
      (Array(sealed.dropLast()), key, [9]), (sealed + [0], key, [9]), ([], key, [9]),
      (Array(sealed.prefix(AESGCM.overhead - 1)), key, [9]),
    ]
    for (bytes, key, data) in misfits {
      #expect(throws: CryptographyError.authenticationFailed) {
        try AESGCM.open(bytes, key: key, additionalData: data)
      }
    }
  }

  @Test("a key has 32 bytes", arguments: [0, 16, 31, 33])
  func keySize(count: Int) {
    #expect(throws: CryptographyError.self) {
      try SymmetricKey([UInt8](repeating: 1, count: count))
    }
  }

  @Test("secrets do not print")
  func redaction() throws {
    let bytes = Array("0123456789abcdef0123456789abcdef".utf8)
    let key = try SymmetricKey(bytes)
    let secrets: [Any] = [
      key, SecretBytes(bytes), HMACKey(bytes), try PrivateKey.generate(.ed25519),
    ]
    for secret in secrets {
      var dumped = ""
      dump(secret, to: &dumped)
      for text in ["\(secret)", String(reflecting: secret), dumped] {
        #expect(text.contains("redacted"))
        #expect(!text.contains("48, 49"))
        #expect(!text.contains("0x"))
      }
    }
    #expect(key.reveal() == bytes)
    #expect(SymmetricKey().reveal() != SymmetricKey().reveal())
  }
}
