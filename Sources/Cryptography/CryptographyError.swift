/// Why an operation was refused; never carries key material, plaintext or a password.
package enum CryptographyError: Error, Sendable, Equatable {
  /// The bytes are not a key of a supported type, size or encoding.
  case invalidKey(String)
  /// The key cannot be used with this scheme.
  case unsuitableKey
  /// Sealed bytes were damaged, were sealed under another key, or belong to another record.
  case authenticationFailed
  /// libcrypto or libargon2 failed where it should not.
  case libraryFailure(String)
}
