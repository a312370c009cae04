import COpenSSL

/// The numbers of a private key together with its public ones, big-endian, as JWK writes them.
package enum PrivateComponents: Sendable {
  /// All of RFC 8017 section 3.2's second representation: a key without its primes signs four times slower.
  case rsa(
    modulus: [UInt8], exponent: [UInt8], privateExponent: SecretBytes, p: SecretBytes,
    q: SecretBytes, dp: SecretBytes, dq: SecretBytes, qi: SecretBytes)
  case p256(x: [UInt8], y: [UInt8], d: SecretBytes)
  case p384(x: [UInt8], y: [UInt8], d: SecretBytes)
  case ed25519(publicKey: [UInt8], seed: SecretBytes)
}

/// A key to sign with; never prints, and libcrypto wipes it with its last reference.
package struct PrivateKey: Sendable {
  let native: NativeKey

  package var type: KeyType { native.type }

  /// The public half; it shares the memory, and has no way to the private numbers.
  package var publicKey: PublicKey { PublicKey(native: native) }

  package static func generate(_ type: KeyType) throws(CryptographyError) -> PrivateKey {
    PrivateKey(native: try KeyBuilder.generate(type))
  }

  private init(native: NativeKey) {
    self.native = native
  }

  /// Builds the key and checks that both halves belong together.
  package init(_ components: PrivateComponents) throws(CryptographyError) {
    native = try KeyBuilder.key(components)
  }

  /// PrivateKeyInfo (RFC 5208 section 5, RFC 5958) in DER, unencrypted, with nothing after it.
  package init(pkcs8: SecretBytes) throws(CryptographyError) {
    let start = unsafe UnsafePointer(pkcs8.base.assumingMemoryBound(to: UInt8.self))
    var position: UnsafePointer<UInt8>? = unsafe start
    let info = unsafe d2i_PKCS8_PRIV_KEY_INFO(nil, &position, pkcs8.count)
    defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
    guard let info = unsafe info, let end = unsafe position, unsafe end - start == pkcs8.count
    else {
      clearErrors()
      throw .invalidKey("not a PKCS #8 key")
    }
    native = unsafe try NativeKey(adopting: EVP_PKCS82PKEY(info))
  }

  package init(pkcs8: [UInt8]) throws(CryptographyError) {
    try self.init(pkcs8: SecretBytes(pkcs8))
  }

  /// The key in DER, to be sealed before it is stored.
  package func pkcs8() throws(CryptographyError) -> SecretBytes {
    let info = unsafe EVP_PKEY2PKCS8(native.pointer)
    defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
    let size = unsafe i2d_PKCS8_PRIV_KEY_INFO(info, nil)
    guard size > 0 else {
      clearErrors()
      throw .libraryFailure("i2d_PKCS8_PRIV_KEY_INFO")
    }
    return unsafe SecretBytes(count: Int(size)) { buffer in
      var position = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
      must(unsafe i2d_PKCS8_PRIV_KEY_INFO(info, &position) == size, "i2d_PKCS8_PRIV_KEY_INFO")
    }
  }

  package func sign(_ message: [UInt8], scheme: SignatureScheme) throws(CryptographyError)
    -> [UInt8]
  {
    try native.sign(message.span, scheme: scheme)
  }

  package func sign(_ message: Span<UInt8>, scheme: SignatureScheme) throws(CryptographyError)
    -> [UInt8]
  {
    try native.sign(message, scheme: scheme)
  }
}

extension PrivateKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var debugDescription: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
