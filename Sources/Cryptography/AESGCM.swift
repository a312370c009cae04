import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) sealing: version byte, 12 byte nonce, ciphertext, 16 byte tag.
///
/// The nonce is random, so one key must not seal more than 2^32 messages (SP 800-38D section 8.3).
package enum AESGCM {
  /// Names the algorithm of what follows; other values are for successors.
  package static let version: UInt8 = 1
  /// How much longer the sealed form is than the plaintext.
  package static let overhead = 1 + nonceCount + tagCount

  static let nonceCount = 12
  static let tagCount = 16

  /// Encrypts and authenticates; `additionalData` is authenticated only, and says what record this belongs to.
  package static func seal(
    _ plaintext: [UInt8], key: SymmetricKey, additionalData: [UInt8]
  ) -> [UInt8] {
    let nonce = randomBytes(nonceCount)
    return [version] + nonce
      + encrypt(plaintext, key: key, nonce: nonce, additionalData: additionalData)
  }

  /// Opens what ``seal(_:key:additionalData:)`` made, or says only that it does not fit.
  package static func open(
    _ sealed: [UInt8], key: SymmetricKey, additionalData: [UInt8]
  ) throws(CryptographyError) -> [UInt8] {
    guard sealed.count >= overhead, sealed[0] == version else { throw .authenticationFailed }
    let body = sealed.dropFirst(1 + nonceCount)
    return try decrypt(
      Array(body.dropLast(tagCount)), tag: Array(body.suffix(tagCount)), key: key,
      nonce: Array(sealed[1...nonceCount]), additionalData: additionalData)
  }

  /// Ciphertext and tag, for a given nonce: internal, because a repeated nonce gives the key away.
  static func encrypt(
    _ plaintext: [UInt8], key: SymmetricKey, nonce: [UInt8], additionalData: [UInt8]
  ) -> [UInt8] {
    let context = CipherContext(key: key, nonce: nonce, encrypts: true)
    must(context.authenticate(additionalData), "EVP_CipherUpdate")
    return unsafe [UInt8](unsafeUninitializedCapacity: plaintext.count + tagCount) {
      output, count in
      must(unsafe context.update(plaintext, into: output.baseAddress), "EVP_CipherUpdate")
      must(context.finish(), "EVP_CipherFinal_ex")
      let tag = unsafe output.baseAddress?.advanced(by: plaintext.count)
      must(unsafe context.control(EVP_CTRL_AEAD_GET_TAG, tagCount, tag), "EVP_CTRL_AEAD_GET_TAG")
      count = plaintext.count + tagCount
    }
  }

  static func decrypt(
    _ ciphertext: [UInt8], tag: [UInt8], key: SymmetricKey, nonce: [UInt8],
    additionalData: [UInt8]
  ) throws(CryptographyError) -> [UInt8] {
    guard tag.count == tagCount, nonce.count == nonceCount else { throw .authenticationFailed }
    let context = CipherContext(key: key, nonce: nonce, encrypts: false)
    var tag = tag
    var authentic = unsafe context.control(EVP_CTRL_AEAD_SET_TAG, tagCount, &tag)
    authentic = authentic && context.authenticate(additionalData)
    let plaintext = unsafe [UInt8](unsafeUninitializedCapacity: ciphertext.count) { output, count in
      authentic =
        unsafe authentic && context.update(ciphertext, into: output.baseAddress) && context.finish()
      count = authentic ? ciphertext.count : 0
      if !authentic { unsafe OPENSSL_cleanse(output.baseAddress, ciphertext.count) }
    }
    guard authentic else {
      clearErrors()
      throw .authenticationFailed
    }
    return plaintext
  }
}

/// One message's cipher state.
@safe private final class CipherContext {
  private let context: OpaquePointer

  init(key: SymmetricKey, nonce: [UInt8], encrypts: Bool) {
    guard let context = unsafe EVP_CIPHER_CTX_new() else {
      preconditionFailure("libcrypto failed: EVP_CIPHER_CTX_new")
    }
    unsafe self.context = unsafe context
    precondition(nonce.count == AESGCM.nonceCount, "a GCM nonce has 12 bytes")
    let done = unsafe EVP_CipherInit_ex2(
      context, Provided.aes256GCM.pointer, key.secret.base.assumingMemoryBound(to: UInt8.self),
      nonce, encrypts ? 1 : 0, nil)
    must(done == 1, "EVP_CipherInit_ex2")
  }

  deinit {
    unsafe EVP_CIPHER_CTX_free(context)
  }

  func authenticate(_ bytes: [UInt8]) -> Bool {
    unsafe bytes.isEmpty || update(bytes, into: nil)
  }

  func update(_ bytes: [UInt8], into output: UnsafeMutablePointer<UInt8>?) -> Bool {
    guard !bytes.isEmpty else { return true }
    precondition(bytes.count <= CInt.max, "one message is at most 2 GiB")
    var length: CInt = 0
    return unsafe EVP_CipherUpdate(context, output, &length, bytes, CInt(bytes.count)) == 1
  }

  func finish() -> Bool {
    var length: CInt = 0
    var rest: [UInt8] = [0]
    return unsafe EVP_CipherFinal_ex(context, &rest, &length) == 1
  }

  func control(_ type: CInt, _ count: Int, _ pointer: UnsafeMutablePointer<UInt8>?) -> Bool {
    unsafe EVP_CIPHER_CTX_ctrl(context, type, CInt(count), pointer) == 1
  }
}
