import COpenSSL

/// Looks for random numbers that are probably prime: multiples of small primes are sieved out, the rest is tested by Miller
/// and Rabin's method (FIPS 186-5 appendix B.3.1).
///
/// libcrypto's own search makes 64 rounds of the test and one modular power at a time: decision 0014.
@safe struct PrimeSearch {
  let bits: Int
  private let scratch: OpaquePointer

  /// Odd numbers after a random start of which one is chosen; some six of them are prime for 1024 bits.
  private static let span = 2048
  /// Ends the search when the random generator is broken: up to 4096 bits three of four spans have a prime.
  private static let spansMax = 30
  /// What table B.1 asks for is 5 for primes of 1024 bits and 4 for larger ones.
  private static let rounds = 8

  init(bits: Int, scratch: OpaquePointer) {
    self.bits = bits
    unsafe self.scratch = unsafe scratch
  }

  /// Puts a new prime into `prime`; its upper two bits are set.
  func draw(_ prime: SecretNumber) throws(CryptographyError) {
    let start = SecretNumber()
    for _ in 0..<Self.spansMax {
      try done(
        unsafe BN_priv_rand(start.pointer, CInt(bits), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD) == 1)
      if let found = try firstPrime(start, Self.survivors(start).shuffled()) {
        return try done(unsafe BN_copy(prime.pointer, found.pointer) != nil)
      }
    }
    throw .libraryFailure("RSA primes")
  }

  /// Whether a number is probably prime; one of less than three bits never is.
  func isPrime(_ number: SecretNumber) throws(CryptographyError) -> Bool {
    guard let candidate = unsafe try Candidate(number, scratch) else { return false }
    for _ in 0..<Self.rounds / 2 {
      let passed = try round(candidate, candidate)
      guard passed.0, passed.1 else { return false }
    }
    return true
  }

  /// The first prime among `start` plus twice each offset, in their order.
  private func firstPrime(_ start: SecretNumber, _ offsets: [Int]) throws(CryptographyError)
    -> SecretNumber?
  {
    for index in stride(from: 0, to: offsets.count - 1, by: 2) {
      guard let one = try candidate(start, offsets[index]),
        let other = try candidate(start, offsets[index + 1])
      else { return nil }
      let passed = try round(one, other)
      if passed.0, try isPrime(one.number) { return one.number }
      if passed.1, try isPrime(other.number) { return other.number }
    }
    return nil
  }

  /// Nil where the sum has a bit too many.
  private func candidate(_ start: SecretNumber, _ offset: Int) throws(CryptographyError)
    -> Candidate?
  {
    let number = SecretNumber()
    try done(
      unsafe BN_copy(number.pointer, start.pointer) != nil
        && BN_add_word(number.pointer, UInt(2 * offset)) == 1)
    guard unsafe BN_num_bits(number.pointer) == bits else { return nil }
    return unsafe try Candidate(number, scratch)
  }

  /// A round with a random base for each: two powers at once take half the time where the processor has AVX-512 IFMA.
  private func round(_ one: Candidate, _ other: Candidate) throws(CryptographyError) -> (
    Bool, Bool
  ) {
    let (base, otherBase) = (try one.base(), try other.base())
    let (power, otherPower) = (SecretNumber(), SecretNumber())
    try done(
      unsafe BN_mod_exp_mont_consttime_x2(
        power.pointer, base.pointer, one.odd.pointer, one.number.pointer, one.montgomery,
        otherPower.pointer, otherBase.pointer, other.odd.pointer, other.number.pointer,
        other.montgomery, scratch) == 1)
    return unsafe (
      try one.isWitnessed(by: power, scratch), try other.isWitnessed(by: otherPower, scratch)
    )
  }

  // MARK: The sieve

  /// Which odd numbers from `start` on no small prime divides, by half their distance.
  private static func survivors(_ start: SecretNumber) -> [Int] {
    var isComposite = [Bool](repeating: false, count: span)
    for prime in smallPrimes {
      // start + 2 offset = 0 modulo the prime; half of an odd number is half of it and the prime together.
      let distance = prime - Int(unsafe BN_mod_word(start.pointer, UInt(prime)))
      var offset = (distance % 2 == 0 ? distance : distance + prime) / 2 % prime
      while offset < span {
        isComposite[offset] = true
        offset += prime
      }
    }
    return isComposite.indices.filter { !isComposite[$0] }
  }

  /// The odd ones below 8192: more would take longer than the tests they save.
  private static let smallPrimes: [Int] = {
    var isComposite = [Bool](repeating: false, count: 8192)
    return stride(from: 3, to: isComposite.count, by: 2).filter { number in
      guard !isComposite[number] else { return false }
      for multiple in stride(from: number * number, to: isComposite.count, by: number) {
        isComposite[multiple] = true
      }
      return true
    }
  }()
}

/// An odd number w, taken apart for the test: w - 1 is 2^twos times an odd number.
@safe private final class Candidate {
  let number: SecretNumber
  let odd = SecretNumber()
  let montgomery: OpaquePointer
  private let less = SecretNumber()
  private let twos: Int

  /// Nil where it is even, or too small for a base.
  init?(_ number: SecretNumber, _ scratch: OpaquePointer) throws(CryptographyError) {
    guard unsafe BN_is_odd(number.pointer) == 1, unsafe BN_num_bits(number.pointer) > 2 else {
      return nil
    }
    guard let montgomery = unsafe BN_MONT_CTX_new() else {
      preconditionFailure("libcrypto failed: BN_MONT_CTX_new")
    }
    self.number = number
    unsafe self.montgomery = unsafe montgomery
    try done(
      unsafe BN_MONT_CTX_set(montgomery, number.pointer, scratch) == 1
        && BN_sub(less.pointer, number.pointer, BN_value_one()) == 1)
    var twos: CInt = 1
    while unsafe BN_is_bit_set(less.pointer, twos) == 0 { twos += 1 }
    self.twos = Int(twos)
    try done(unsafe BN_rshift(odd.pointer, less.pointer, twos) == 1)
  }

  deinit {
    unsafe BN_MONT_CTX_free(montgomery)
  }

  /// A random number from 2 to w - 2.
  func base() throws(CryptographyError) -> SecretNumber {
    let (base, range) = (SecretNumber(), SecretNumber())
    try done(
      unsafe BN_sub(range.pointer, number.pointer, BN_value_one()) == 1
        && BN_sub_word(range.pointer, 2) == 1
        && BN_priv_rand_range(base.pointer, range.pointer) == 1
        && BN_add_word(base.pointer, 2) == 1)
    return base
  }

  /// Whether a base, raised to the odd part, speaks for a prime; changes the power.
  func isWitnessed(by power: SecretNumber, _ scratch: OpaquePointer) throws(CryptographyError)
    -> Bool
  {
    if unsafe BN_is_one(power.pointer) == 1 { return true }
    for _ in 0..<twos {
      if unsafe BN_cmp(power.pointer, less.pointer) == 0 { return true }
      try done(unsafe BN_mod_sqr(power.pointer, power.pointer, number.pointer, scratch) == 1)
    }
    return false
  }
}

private func done(_ succeeded: Bool) throws(CryptographyError) {
  guard succeeded else {
    clearErrors()
    throw .libraryFailure("RSA key generation")
  }
}
