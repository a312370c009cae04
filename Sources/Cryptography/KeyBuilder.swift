import COpenSSL

/// Makes keys from numbers or from randomness; what it returns has been checked.
enum KeyBuilder {
  static func generate(_ type: KeyType) throws(CryptographyError) -> NativeKey {
    switch type {
    case .rsa(let bits): try RSAGenerator.generate(bits: bits, exponent: 65_537)
    case .p256: try generate("EC", group: "P-256")
    case .p384: try generate("EC", group: "P-384")
    case .ed25519: try generate("ED25519", group: nil)
    }
  }

  private static func generate(_ name: String, group: String?) throws(CryptographyError)
    -> NativeKey
  {
    let context = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil)
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var ready = unsafe EVP_PKEY_keygen_init(context) == 1
    if let group { ready = unsafe ready && EVP_PKEY_CTX_set_group_name(context, group) == 1 }
    var pointer: OpaquePointer?
    guard unsafe ready && EVP_PKEY_generate(context, &pointer) == 1 else {
      clearErrors()
      throw .libraryFailure("EVP_PKEY_generate")
    }
    return unsafe try NativeKey(adopting: pointer)
  }

  static func key(_ components: PublicComponents) throws(CryptographyError) -> NativeKey {
    switch components {
    case .rsa(let modulus, let exponent):
      let parameters = try rsa(modulus: modulus, exponent: exponent)
      return try build("RSA", selectPublicKey, parameters)
    case .p256(let x, let y):
      return try checked(
        build("EC", selectPublicKey, ec("P-256", x: x, y: y, count: 32)), pair: false)
    case .p384(let x, let y):
      return try checked(
        build("EC", selectPublicKey, ec("P-384", x: x, y: y, count: 48)), pair: false)
    case .ed25519(let bytes):
      guard bytes.count == 32 else { throw .invalidKey("an Ed25519 key has 32 bytes") }
      return unsafe try NativeKey(
        adopting: EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, bytes, bytes.count))
    }
  }

  static func key(_ components: PrivateComponents) throws(CryptographyError) -> NativeKey {
    switch components {
    case .rsa(let modulus, let exponent, let d, let p, let q, let dp, let dq, let qi):
      let parameters = try rsa(modulus: modulus, exponent: exponent)
      parameters.append(OSSL_PKEY_PARAM_RSA_D, bigEndian: d.reveal())
      parameters.append("rsa-factor1", bigEndian: p.reveal())
      parameters.append("rsa-factor2", bigEndian: q.reveal())
      parameters.append("rsa-exponent1", bigEndian: dp.reveal())
      parameters.append("rsa-exponent2", bigEndian: dq.reveal())
      parameters.append("rsa-coefficient1", bigEndian: qi.reveal())
      return try checked(build("RSA", selectKeyPair, parameters), pair: true)
    case .p256(let x, let y, let d):
      let parameters = try ec("P-256", x: x, y: y, d: d, count: 32)
      return try checked(build("EC", selectKeyPair, parameters), pair: true)
    case .p384(let x, let y, let d):
      let parameters = try ec("P-384", x: x, y: y, d: d, count: 48)
      return try checked(build("EC", selectKeyPair, parameters), pair: true)
    case .ed25519(let publicKey, let seed):
      guard seed.count == 32 else { throw .invalidKey("an Ed25519 seed has 32 bytes") }
      let native = unsafe try NativeKey(
        adopting: EVP_PKEY_new_raw_private_key_ex(
          nil, "ED25519", nil, seed.base.assumingMemoryBound(to: UInt8.self), seed.count))
      guard native.rawPublicKey() == publicKey else { throw .invalidKey("halves do not match") }
      return native
    }
  }

  private static func rsa(modulus: [UInt8], exponent: [UInt8]) throws(CryptographyError)
    -> Parameters
  {
    // Odd, more than 1 and of at most 64 bits: what is used in practice, and no lever to make verification slow.
    guard let first = exponent.first, first != 0, exponent.count <= 8, exponent != [1],
      exponent.last.map({ $0 & 1 == 1 }) == true
    else { throw .invalidKey("RSA exponent") }
    guard let first = modulus.first, first != 0, (256...1024).contains(modulus.count),
      modulus.last.map({ $0 & 1 == 1 }) == true
    else { throw .invalidKey("RSA modulus") }
    let parameters = Parameters()
    parameters.append(OSSL_PKEY_PARAM_RSA_N, bigEndian: modulus)
    parameters.append(OSSL_PKEY_PARAM_RSA_E, bigEndian: exponent)
    return parameters
  }

  private static func ec(
    _ group: String, x: [UInt8], y: [UInt8], d: SecretBytes? = nil, count: Int
  ) throws(CryptographyError) -> Parameters {
    // RFC 7518 sections 6.2.1.2 and 6.2.2.1: the full size of the curve, leading zeros included.
    guard x.count == count, y.count == count, d.map({ $0.count == count }) ?? true else {
      throw .invalidKey("coordinate length")
    }
    let parameters = Parameters()
    parameters.append(OSSL_PKEY_PARAM_GROUP_NAME, text: group)
    parameters.append(OSSL_PKEY_PARAM_PUB_KEY, octets: [4] + x + y)
    if let d { parameters.append(OSSL_PKEY_PARAM_PRIV_KEY, bigEndian: d.reveal()) }
    return parameters
  }

  static func build(
    _ name: String, _ selection: CInt, _ parameters: Parameters
  ) throws(CryptographyError) -> NativeKey {
    let context = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil)
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var pointer: OpaquePointer?
    let done = unsafe parameters.with { list in
      unsafe EVP_PKEY_fromdata_init(context) == 1
        && EVP_PKEY_fromdata(context, &pointer, selection, list) == 1
    }
    guard done else {
      clearErrors()
      throw .invalidKey("refused by libcrypto")
    }
    return unsafe try NativeKey(adopting: pointer)
  }

  private static func checked(_ key: NativeKey, pair: Bool) throws(CryptographyError) -> NativeKey {
    let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil)
    defer { unsafe EVP_PKEY_CTX_free(context) }
    let valid =
      unsafe pair ? EVP_PKEY_pairwise_check(context) == 1 : EVP_PKEY_public_check(context) == 1
    guard valid else {
      clearErrors()
      throw .invalidKey("inconsistent")
    }
    return key
  }
}
