import COpenSSL

/// Makes RSA keys from two random probable primes, as FIPS 186-5 appendix A.1.3 does.
///
/// libcrypto 3.0 looks for auxiliary primes first (appendix A.1.6), at more than twice the price: decision 0014.
@safe final class RSAGenerator {
  private let n = SecretNumber()
  private let e = SecretNumber()
  private let d = SecretNumber()
  private let p = SecretNumber()
  private let q = SecretNumber()
  private let dp = SecretNumber()
  private let dq = SecretNumber()
  private let qi = SecretNumber()
  private let scratch: OpaquePointer
  /// Ends the search when the random generator is broken; with 65537 one pair in thirty thousand is refused.
  private static let pairsMax = 30

  static func generate(bits: Int, exponent: UInt) throws(CryptographyError) -> NativeKey {
    guard (2048...8192).contains(bits), bits % 2 == 0 else {
      throw .invalidKey("2048 to 8192 bits, an even number")
    }
    let generator = RSAGenerator(exponent: exponent)
    for _ in 0..<pairsMax where try generator.draw(bits: bits) {
      return try generator.key()
    }
    throw .libraryFailure("RSA primes")
  }

  private init(exponent: UInt) {
    guard let context = unsafe BN_CTX_secure_new() else {
      preconditionFailure("libcrypto failed: BN_CTX_secure_new")
    }
    unsafe scratch = unsafe context
    must(unsafe BN_set_word(e.pointer, exponent) == 1, "BN_set_word")
  }

  deinit {
    unsafe BN_CTX_free(scratch)
  }

  /// Draws both primes and derives the other numbers; false when a condition of appendix A.1 does not hold.
  private func draw(bits: Int) throws(CryptographyError) -> Bool {
    let half = CInt(bits / 2)
    // Random in each try, the upper two bits set: no less than the root of 2 times 2^(half - 1), and the modulus
    // has all its bits.
    let search = unsafe PrimeSearch(bits: Int(half), scratch: scratch)
    for prime in [p, q] { try search.draw(prime) }
    if unsafe BN_cmp(p.pointer, q.pointer) < 0 { unsafe BN_swap(p.pointer, q.pointer) }
    let (p1, q1, product, result) = (SecretNumber(), SecretNumber(), SecretNumber(), SecretNumber())
    try done(
      unsafe BN_sub(p1.pointer, p.pointer, BN_value_one()) == 1
        && BN_sub(q1.pointer, q.pointer, BN_value_one()) == 1
        && BN_mul(product.pointer, p1.pointer, q1.pointer, scratch) == 1
        && BN_gcd(result.pointer, product.pointer, e.pointer, scratch) == 1)
    // p - 1 and q - 1 have no factor in common with e.
    guard unsafe BN_is_one(result.pointer) == 1 else { return false }
    // p - 1 - q is 2^(half - 100) or more: the primes are further apart than that.
    try done(unsafe BN_sub(result.pointer, p1.pointer, q.pointer) == 1)
    guard unsafe BN_num_bits(result.pointer) > half - 100 else { return false }
    let multiple = SecretNumber()  // the least common one of p - 1 and q - 1
    try done(
      unsafe BN_gcd(result.pointer, p1.pointer, q1.pointer, scratch) == 1
        && BN_div(multiple.pointer, nil, product.pointer, result.pointer, scratch) == 1
        && BN_mod_inverse(d.pointer, e.pointer, multiple.pointer, scratch) != nil)
    // d is odd, so that it is more than 2^half.
    guard unsafe BN_num_bits(d.pointer) > half else { return false }
    try done(
      unsafe BN_mul(n.pointer, p.pointer, q.pointer, scratch) == 1
        && BN_div(nil, dp.pointer, d.pointer, p1.pointer, scratch) == 1
        && BN_div(nil, dq.pointer, d.pointer, q1.pointer, scratch) == 1
        && BN_mod_inverse(qi.pointer, q.pointer, p.pointer, scratch) != nil)
    return true
  }

  /// The key, after it has signed something that its public half verifies.
  private func key() throws(CryptographyError) -> NativeKey {
    let parameters = Parameters()
    for (name, number) in [
      (OSSL_PKEY_PARAM_RSA_N, n), (OSSL_PKEY_PARAM_RSA_E, e), (OSSL_PKEY_PARAM_RSA_D, d),
      ("rsa-factor1", p), ("rsa-factor2", q), ("rsa-exponent1", dp), ("rsa-exponent2", dq),
      ("rsa-coefficient1", qi),
    ] {
      parameters.append(name, number)
    }
    let key = try KeyBuilder.build("RSA", selectKeyPair, parameters)
    let message = Array("pairwise consistency".utf8)
    let signature = try key.sign(message.span, scheme: .rsaPKCS1SHA256)
    guard key.verify(signature, of: message.span, scheme: .rsaPKCS1SHA256) else {
      throw .libraryFailure("pairwise consistency")
    }
    return key
  }

  private func done(_ succeeded: Bool) throws(CryptographyError) {
    guard succeeded else {
      clearErrors()
      throw .libraryFailure("RSA key generation")
    }
  }
}

/// A number that libcrypto reckons with in constant time where it can, and wipes in the end.
@safe final class SecretNumber {
  let pointer: OpaquePointer

  init() {
    guard let pointer = unsafe BN_secure_new() else {
      preconditionFailure("libcrypto failed: BN_secure_new")
    }
    unsafe self.pointer = unsafe pointer
    unsafe BN_set_flags(pointer, BN_FLG_CONSTTIME)
  }

  deinit {
    unsafe BN_clear_free(pointer)
  }
}
