/// What every secret of the product passes through: libcrypto and libargon2 behind Swift values.
///
/// - ``SHA2``, ``SHA256Hasher``, ``HMACKey``, ``HKDF``, ``constantTimeEquals(_:_:)``: digests and what is built on them.
/// - ``SymmetricKey`` and ``AESGCM``: sealing; ``SecretBytes`` holds what must be wiped.
/// - ``PrivateKey``, ``PublicKey``, ``SignatureScheme``: signatures.
/// - ``PasswordHasher``: Argon2id on threads of its own.
///
/// There is no assembly: the module keeps no state but the algorithms libcrypto provides, fetched once.
package enum Cryptography {
  /// The libcrypto this process runs with, for `tenure version` and problem reports.
  package static var libraryVersion: String { Provided.libraryVersion }
}
