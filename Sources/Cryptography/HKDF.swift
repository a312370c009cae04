import COpenSSL

/// Key derivation (RFC 5869) with SHA-256.
package enum HKDF {
  /// Extract and expand; at most 255 blocks of output (RFC 5869 section 2.3).
  package static func sha256(
    _ key: [UInt8], salt: [UInt8], info: [UInt8], count: Int
  ) -> [UInt8] {
    derive(SecretBytes(key), salt: salt, info: info, count: count).reveal()
  }

  package static func sha256(
    _ key: SymmetricKey, salt: [UInt8], info: [UInt8], count: Int
  ) -> [UInt8] {
    derive(key.secret, salt: salt, info: info, count: count).reveal()
  }

  /// Another 256 bit key; `info` names its purpose.
  package static func key(from key: SymmetricKey, salt: [UInt8], info: String) -> SymmetricKey {
    SymmetricKey(
      secret: derive(
        key.secret, salt: salt, info: Array(info.utf8), count: SymmetricKey.byteCount))
  }

  private static func derive(
    _ key: SecretBytes, salt: [UInt8], info: [UInt8], count: Int
  ) -> SecretBytes {
    precondition(count > 0 && count <= 255 * SHA256Digest.byteCount, "RFC 5869 section 2.3")
    let context = unsafe EVP_KDF_CTX_new(Provided.hkdf.pointer)
    defer { unsafe EVP_KDF_CTX_free(context) }
    let parameters = Parameters()
    parameters.append(OSSL_KDF_PARAM_DIGEST, text: Provided.sha256.name)
    parameters.append(OSSL_KDF_PARAM_KEY, octets: key.reveal())
    // Without a salt the standard says zeros of the digest's length, which is what absence means.
    if !salt.isEmpty { parameters.append(OSSL_KDF_PARAM_SALT, octets: salt) }
    if !info.isEmpty { parameters.append(OSSL_KDF_PARAM_INFO, octets: info) }
    return unsafe SecretBytes(count: count) { output in
      let done = unsafe parameters.with { list in
        unsafe EVP_KDF_derive(
          context, output.baseAddress?.assumingMemoryBound(to: UInt8.self), count, list)
      }
      must(done == 1, "EVP_KDF_derive")
    }
  }
}
