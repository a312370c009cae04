import Platform
import Testing

@testable import Cryptography

@Suite("FIPS 180-4: digests")
struct DigestTests {
  @Test("SHA-256, SHA-384 and SHA-512 of abc (FIPS 180-2 appendices B.1, D.1, C.1)")
  func abc() {
    let abc = Array("abc".utf8)
    #expect(
      Hex.encode(SHA2.sha256(abc))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(SHA2.sha256("abc") == SHA2.sha256(abc))
    #expect(
      Hex.encode(SHA2.sha384(abc))
        == "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
        + "8086072ba1e7cc2358baeca134c825a7")
    #expect(
      Hex.encode(SHA2.sha512(abc))
        == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
  }

  @Test("the empty message")
  func empty() {
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    #expect(Hex.encode(SHA2.sha256([UInt8]())) == digest)
    #expect(Hex.encode(SHA2.sha256("")) == digest)
    #expect(Hex.encode(SHA256Hasher().finalize()) == digest)
  }

  @Test("a stream gives the digest of the whole, and starts afresh", arguments: [1, 7, 64, 1_000])
  func streaming(chunk: Int) {
    let message = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let hasher = SHA256Hasher()
    for _ in 0..<2 {
      for start in stride(from: 0, to: message.count, by: chunk) {
        hasher.update(message[start..<min(start + chunk, message.count)])
      }
      #expect(hasher.finalize() == SHA2.sha256(message))
    }
  }

  @Test("a digest value has exactly 32 bytes")
  func digestValue() {
    #expect(SHA256Digest(bytes: [UInt8](repeating: 0, count: 31)) == nil)
    #expect(SHA256Digest(bytes: SHA2.sha256("a")) == SHA256Digest(of: "a"))
  }

  @Test("constant-time comparison is still a comparison")
  func constantTime() {
    #expect(constantTimeEquals([UInt8](), []))
    #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
    #expect(!constantTimeEquals([1, 2, 3], [1, 2, 4]))
    #expect(!constantTimeEquals([1, 2, 3], [1, 2]))
    #expect(constantTimeEquals("naïve", "naïve"))
    #expect(!constantTimeEquals("a", "b"))
  }
}

@Suite("HMAC and HKDF")
struct KeyedDigestTests {
  @Test("RFC 4231", arguments: hmacVectors)
  func hmac(_ vector: HMACVector) throws {
    let key = HMACKey(try #require(Hex.decode(vector.key)))
    let message = try #require(Hex.decode(vector.message))
    let code = try #require(Hex.decode(vector.code))
    // Twice: the prepared context must not change.
    #expect(key.sha256(message) == code)
    #expect(key.sha256(message) == code)
    #expect(key.isValid(code, for: message))
    #expect(!key.isValid(code, for: message + [0]))
    #expect(!key.isValid(Array(code.dropLast()), for: message))
  }

  @Test("an empty key and an empty message")
  func emptyHMAC() {
    #expect(
      Hex.encode(HMACKey([UInt8]()).sha256(""))
        == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
  }

  @Test("RFC 5869 appendix A", arguments: hkdfVectors)
  func hkdf(_ vector: HKDFVector) throws {
    let output = HKDF.sha256(
      try #require(Hex.decode(vector.key)), salt: try #require(Hex.decode(vector.salt)),
      info: try #require(Hex.decode(vector.info)), count: vector.count)
    #expect(Hex.encode(output) == vector.output)
  }

  @Test("a derived key depends on its purpose")
  func derivedKeys() throws {
    let key = SymmetricKey()
    let first = HKDF.key(from: key, salt: [], info: "form")
    #expect(first.reveal() == HKDF.sha256(key, salt: [], info: Array("form".utf8), count: 32))
    #expect(first.reveal() != HKDF.key(from: key, salt: [], info: "signed-url").reveal())
  }
}
