/// Why a key, a signature or a token was refused; for the log, since it never carries data of the token.
package enum JOSEError: Error, Sendable, Hashable {
  /// Not well-formed: the text says which rule was broken.
  case malformed(String)
  case tooLarge
  /// `none`, an algorithm we do not know, or one the caller does not allow here.
  case algorithmNotAllowed
  /// RFC 7515 section 4.1.11: we understand no extension, so every critical one is refused.
  case criticalExtension
  /// No key with this `kid`, or none that fits.
  case unknownKey
  /// The key's type, size, `use`, `alg` or `key_ops` does not allow this.
  case unsuitableKey(String)
  case invalidSignature
  case signingFailed
  /// A registered claim is missing or has the wrong type.
  case invalidClaim(String)
  case expired
  case notYetValid
  case wrongIssuer
  case wrongAudience
  /// The `typ` header is not the expected one (RFC 8725 section 3.11).
  case wrongType
}
