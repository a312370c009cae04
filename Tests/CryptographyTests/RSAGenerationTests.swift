import COpenSSL
import Foundation
import Platform
import Testing

@testable import Cryptography

@Suite("RSA keys from probable primes (FIPS 186-5 appendix A.1.3)")
struct RSAGenerationTests {
  struct Case: Sendable {
    let bits: Int
    let exponent: UInt
    let count: Int
  }

  static let cases = [
    Case(bits: 2048, exponent: 65_537, count: 8),
    Case(bits: 2050, exponent: 65_537, count: 2),
    Case(bits: 3072, exponent: 65_537, count: 2),
    Case(bits: 4096, exponent: 65_537, count: 1),
    // Of sixteen pairs of primes seven have a factor in common with this one, and are not taken.
    Case(bits: 2048, exponent: 5, count: 4),
  ]

  /// Reckons independently of libcrypto; prints what does not hold.
  static let conditions = """
    import math, sys
    bits, e = int(sys.argv[1]), int(sys.argv[2])
    n, E, d, p, q, dp, dq, qi = (int(word, 16) for word in sys.argv[3:])
    half, least = bits // 2, math.lcm(p - 1, q - 1)
    for text in [
      "E == e", "n == p * q", "n.bit_length() == bits", "p > q",
      "p.bit_length() == half and q.bit_length() == half",
      "p * p >= 2 ** (bits - 1) and q * q >= 2 ** (bits - 1)",
      "all(pow(a, r - 1, r) == 1 for a in (2, 3, 5, 7) for r in (p, q))",
      "math.gcd(p - 1, e) == 1 and math.gcd(q - 1, e) == 1", "p - q > 2 ** (half - 100)",
      "2 ** half < d < least", "d * e % least == 1", "dp == d % (p - 1)", "dq == d % (q - 1)",
      "0 < qi < p and qi * q % p == 1", "pow(pow(2, d, n), e, n) == 2",
    ]:
      if not eval(text): print(text)
    """

  @Test("its numbers fulfil the conditions, and no prime comes twice", arguments: cases)
  func numbers(_ value: Case) throws {
    let names = [
      "n", "e", "d", "rsa-factor1", "rsa-factor2", "rsa-exponent1", "rsa-exponent2",
      "rsa-coefficient1",
    ]
    var primes: Set<String> = []
    for _ in 0..<value.count {
      let key = try RSAGenerator.generate(bits: value.bits, exponent: value.exponent)
      #expect(key.type == .rsa(bits: value.bits))
      let numbers = names.map { Hex.encode(key.number($0)) }
      let words = [String(value.bits), String(value.exponent)] + numbers
      #expect(try run(["python3", "-c", Self.conditions] + words, input: []) == "")
      primes.formUnion(numbers[3...4])
    }
    #expect(primes.count == value.count * 2)
  }

  @Test("libcrypto and its command line find nothing wrong", arguments: [2048, 3072])
  func check(_ bits: Int) throws {
    let key = try PrivateKey.generate(.rsa(bits: bits))
    let context = EVP_PKEY_CTX_new_from_pkey(nil, key.native.pointer, nil)
    defer { EVP_PKEY_CTX_free(context) }
    #expect(EVP_PKEY_check(context) == 1)
    let command = ["openssl", "rsa", "-inform", "DER", "-check", "-noout"]
    #expect(try run(command, input: key.pkcs8().reveal()).contains("RSA key ok"))
    let loaded = try PrivateKey(pkcs8: key.pkcs8())
    for scheme in [SignatureScheme.rsaPKCS1SHA256, .rsaPSSSHA256] {
      let signature = try loaded.sign([1, 2, 3], scheme: scheme)
      #expect(key.publicKey.verify(signature, of: [1, 2, 3], scheme: scheme))
    }
  }

  @Test("other sizes are refused", arguments: [-2048, 0, 1024, 2046, 2049, 8194, 16_384, Int.max])
  func sizes(_ bits: Int) {
    #expect(throws: CryptographyError.invalidKey("2048 to 8192 bits, an even number")) {
      try PrivateKey.generate(.rsa(bits: bits))
    }
  }

  @Test("an exponent that no key can have ends the search")
  func evenExponent() {
    #expect(throws: CryptographyError.libraryFailure("RSA primes")) {
      try RSAGenerator.generate(bits: 2048, exponent: 2)
    }
  }

  /// Numbers in hexadecimal: small ones, Carmichael numbers, strong pseudoprimes to several fixed bases, Mersenne's.
  static let known: [(String, Bool)] = [
    ("5", true), ("7", true), ("9", false), ("F", false), ("2000", false), ("231", false),
    ("451", false), ("6C1", false), ("1FFF", true), ("BFA17DC7", false), ("32907381CDF", false),
    ("7FFFFFFF", true), ("1FFFFFFFFFFFFFFF", true), ("7FFFFFFFFFFFFFFF", false),
    (String(repeating: "F", count: 130) + "1", false),
    ("1" + String(repeating: "F", count: 130), true),
  ]

  @Test("the test of Miller and Rabin tells primes from what is not", arguments: known)
  func millerRabin(_ text: String, _ isPrime: Bool) throws {
    let number = SecretNumber()
    var pointer: OpaquePointer? = number.pointer
    #expect(BN_hex2bn(&pointer, text) == Int32(text.utf8.count))
    let scratch = try #require(BN_CTX_new())
    defer { BN_CTX_free(scratch) }
    #expect(try PrimeSearch(bits: 1024, scratch: scratch).isPrime(number) == isPrime)
  }

  @Test("libcrypto holds for prime what was found, and for nothing else what was passed over")
  func agreement() throws {
    let scratch = try #require(BN_CTX_new())
    defer { BN_CTX_free(scratch) }
    let search = PrimeSearch(bits: 256, scratch: scratch)
    let number = SecretNumber()
    for _ in 0..<20 {
      try search.draw(number)
      #expect(BN_num_bits(number.pointer) == 256 && BN_is_bit_set(number.pointer, 254) == 1)
      #expect(BN_check_prime(number.pointer, scratch, nil) == 1)
    }
    for _ in 0..<1000 {
      #expect(BN_priv_rand(number.pointer, 256, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) == 1)
      #expect(
        try search.isPrime(number) == (BN_check_prime(number.pointer, scratch, nil) == 1))
    }
  }

  /// What a program prints.
  private func run(_ arguments: [String], input: [UInt8]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    let (source, sink) = (Pipe(), Pipe())
    process.standardInput = source
    process.standardOutput = sink
    process.standardError = sink
    try process.run()
    try source.fileHandleForWriting.write(contentsOf: Data(input))
    try source.fileHandleForWriting.close()
    let output = try sink.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
  }
}
