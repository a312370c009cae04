import COpenSSL

/// The numbers of a public key, big-endian, as JWK writes them (RFC 7518 section 6, RFC 8037 section 2).
package enum PublicComponents: Sendable, Hashable {
  case rsa(modulus: [UInt8], exponent: [UInt8])
  case p256(x: [UInt8], y: [UInt8])
  case p384(x: [UInt8], y: [UInt8])
  case ed25519([UInt8])
}

/// A key to verify with: RSA from 2048 bits, P-256, P-384 or Ed25519.
package struct PublicKey: Sendable {
  let native: NativeKey

  package var type: KeyType { native.type }

  init(native: NativeKey) {
    self.native = native
  }

  /// Builds the key and checks it: on its curve, large enough, of exact length.
  package init(_ components: PublicComponents) throws(CryptographyError) {
    native = try KeyBuilder.key(components)
  }

  /// SubjectPublicKeyInfo (RFC 5280 section 4.1), with nothing after it.
  package init(spki: [UInt8]) throws(CryptographyError) {
    var consumed = 0
    let pointer = unsafe spki.withUnsafeBufferPointer { bytes in
      var position = bytes.baseAddress
      let key = unsafe d2i_PUBKEY(nil, &position, bytes.count)
      if let start = bytes.baseAddress, let position = unsafe position {
        consumed = unsafe position - start
      }
      return unsafe key
    }
    native = unsafe try NativeKey(adopting: pointer)
    guard consumed == spki.count else { throw .invalidKey("bytes after the key") }
  }

  package var spki: [UInt8] {
    guard let bytes = unsafe encode({ unsafe i2d_PUBKEY(native.pointer, $0) }) else {
      preconditionFailure("libcrypto failed: i2d_PUBKEY")
    }
    return bytes
  }

  package var components: PublicComponents {
    switch type {
    case .rsa:
      .rsa(
        modulus: native.number(OSSL_PKEY_PARAM_RSA_N),
        exponent: native.number(OSSL_PKEY_PARAM_RSA_E))
    case .p256:
      .p256(
        x: native.number(OSSL_PKEY_PARAM_EC_PUB_X, count: 32),
        y: native.number(OSSL_PKEY_PARAM_EC_PUB_Y, count: 32))
    case .p384:
      .p384(
        x: native.number(OSSL_PKEY_PARAM_EC_PUB_X, count: 48),
        y: native.number(OSSL_PKEY_PARAM_EC_PUB_Y, count: 48))
    case .ed25519: .ed25519(native.rawPublicKey())
    }
  }

  /// Whether `signature` is this key's over `message`; false for every kind of misfit.
  package func verify(
    _ signature: [UInt8], of message: [UInt8], scheme: SignatureScheme
  ) -> Bool {
    native.verify(signature, of: message.span, scheme: scheme)
  }

  package func verify(
    _ signature: [UInt8], of message: Span<UInt8>, scheme: SignatureScheme
  ) -> Bool {
    native.verify(signature, of: message, scheme: scheme)
  }
}

extension NativeKey {
  /// A public number of the key, without leading zeros, or padded to `count`.
  func number(_ name: String, count: Int? = nil) -> [UInt8] {
    var number: OpaquePointer?
    must(unsafe EVP_PKEY_get_bn_param(pointer, name, &number) == 1, "EVP_PKEY_get_bn_param")
    defer { unsafe BN_free(number) }
    let size = unsafe count ?? Int((BN_num_bits(number) + 7) / 8)
    return unsafe [UInt8](unsafeUninitializedCapacity: size) { output, written in
      must(unsafe BN_bn2binpad(number, output.baseAddress, CInt(size)) == size, "BN_bn2binpad")
      written = size
    }
  }

  func rawPublicKey() -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: 32) { output, count in
      var length = 32
      let done = unsafe EVP_PKEY_get_raw_public_key(pointer, output.baseAddress, &length)
      must(done == 1 && length == 32, "EVP_PKEY_get_raw_public_key")
      count = length
    }
  }
}
