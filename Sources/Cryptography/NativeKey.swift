import COpenSSL
import Synchronization

/// An `EVP_PKEY` and contexts ready to sign or verify with it.
///
/// Setting a context up (fetch, key check, Montgomery form) costs more than an ECDSA signature, so a few are kept.
/// Invariant for `@unchecked`: the key never changes after `init`, and libcrypto allows concurrent use of such a
/// key; a context is in the pool or with one caller.
@safe final class NativeKey: @unchecked Sendable {
  let pointer: OpaquePointer
  let type: KeyType
  private let idle: Mutex<[[OperationContext]]>
  private static let idleMax = 4

  /// Takes ownership of `pointer`; refuses what the product does not use.
  init(adopting pointer: OpaquePointer?) throws(CryptographyError) {
    guard let pointer = unsafe pointer else {
      clearErrors()
      throw .invalidKey("not a key")
    }
    guard let type = unsafe Self.type(of: pointer) else {
      unsafe EVP_PKEY_free(pointer)
      throw .invalidKey("unsupported type, curve or size")
    }
    unsafe self.pointer = unsafe pointer
    self.type = type
    idle = Mutex(Array(repeating: [], count: SignatureScheme.allCases.count * 2))
  }

  deinit {
    idle.withLock { lists in
      for context in lists.joined() { context.free() }
    }
    unsafe EVP_PKEY_free(pointer)
  }

  func sign(_ message: Span<UInt8>, scheme: SignatureScheme) throws(CryptographyError) -> [UInt8] {
    guard scheme.fits(type) else { throw .unsuitableKey }
    guard let digest = scheme.digest else { return try signWhole(message) }
    let hash = digest.hash(message)
    let context = try take(.sign, scheme)
    var length = Int(unsafe EVP_PKEY_get_size(pointer))
    var signed = false
    let signature = unsafe [UInt8](unsafeUninitializedCapacity: length) { output, count in
      signed =
        unsafe EVP_PKEY_sign(context.pointer, output.baseAddress, &length, hash, hash.count) == 1
      count = signed ? length : 0
    }
    guard signed else {
      context.free()
      clearErrors()
      throw .libraryFailure("EVP_PKEY_sign")
    }
    giveBack(context, .sign, scheme)
    guard let scalarCount = scheme.scalarCount else { return signature }
    return try ECDSAEncoding.raw(fromDER: signature, scalarCount: scalarCount)
  }

  func verify(_ signature: [UInt8], of message: Span<UInt8>, scheme: SignatureScheme) -> Bool {
    guard scheme.fits(type) else { return false }
    guard let digest = scheme.digest else { return verifyWhole(signature, of: message) }
    var signature = signature
    if let scalarCount = scheme.scalarCount {
      guard let der = ECDSAEncoding.der(fromRaw: signature, scalarCount: scalarCount) else {
        return false
      }
      signature = der
    } else if signature.count != Int(unsafe EVP_PKEY_get_size(pointer)) {
      return false  // RFC 8017 sections 8.1.2 and 8.2.2, step 1
    }
    guard let context = try? take(.verify, scheme) else { return false }
    let hash = digest.hash(message)
    let valid =
      unsafe EVP_PKEY_verify(context.pointer, signature, signature.count, hash, hash.count) == 1
    if valid {
      giveBack(context, .verify, scheme)
    } else {
      context.free()
      clearErrors()
    }
    return valid
  }
}

// MARK: - Contexts

extension NativeKey {
  private enum Purpose: Int {
    case sign
    case verify
  }

  private func take(_ purpose: Purpose, _ scheme: SignatureScheme) throws(CryptographyError)
    -> OperationContext
  {
    let kept = idle.withLock { $0[scheme.rawValue * 2 + purpose.rawValue].popLast() }
    if let kept { return kept }
    guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil) else {
      throw .libraryFailure("EVP_PKEY_CTX_new_from_pkey")
    }
    var ready =
      switch purpose {
      case .sign: unsafe EVP_PKEY_sign_init(context) == 1
      case .verify: unsafe EVP_PKEY_verify_init(context) == 1
      }
    switch scheme {
    case .rsaPKCS1SHA256:
      ready = unsafe ready && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
    case .rsaPSSSHA256:
      ready = unsafe ready && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
      ready =
        unsafe ready
        && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, CInt(SHA256Digest.byteCount)) == 1
      ready = unsafe ready && EVP_PKEY_CTX_set_rsa_mgf1_md(context, Provided.sha256.method) == 1
    case .ecdsaP256SHA256, .ecdsaP384SHA384, .ed25519: break
    }
    if let digest = scheme.digest {
      ready = unsafe ready && EVP_PKEY_CTX_set_signature_md(context, digest.method) == 1
    }
    guard ready else {
      unsafe EVP_PKEY_CTX_free(context)
      clearErrors()
      throw .libraryFailure("EVP_PKEY_CTX")
    }
    return unsafe OperationContext(pointer: context)
  }

  private func giveBack(_ context: OperationContext, _ purpose: Purpose, _ scheme: SignatureScheme)
  {
    let index = scheme.rawValue * 2 + purpose.rawValue
    let kept = idle.withLock { lists in
      guard lists[index].count < Self.idleMax else { return false }
      lists[index].append(context)
      return true
    }
    if !kept { context.free() }
  }

  private func signWhole(_ message: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
    let context = unsafe EVP_MD_CTX_new()
    defer { unsafe EVP_MD_CTX_free(context) }
    var length = Int(unsafe EVP_PKEY_get_size(pointer))
    var signed = unsafe EVP_DigestSignInit_ex(context, nil, nil, nil, nil, pointer, nil) == 1
    let signature = unsafe [UInt8](unsafeUninitializedCapacity: length) { output, count in
      signed = unsafe message.withUnsafeBufferPointer { input in
        unsafe signed
          && EVP_DigestSign(context, output.baseAddress, &length, input.baseAddress, input.count)
            == 1
      }
      count = signed ? length : 0
    }
    guard signed else {
      clearErrors()
      throw .libraryFailure("EVP_DigestSign")
    }
    return signature
  }

  private func verifyWhole(_ signature: [UInt8], of message: Span<UInt8>) -> Bool {
    let context = unsafe EVP_MD_CTX_new()
    defer { unsafe EVP_MD_CTX_free(context) }
    let valid = unsafe message.withUnsafeBufferPointer { input in
      unsafe EVP_DigestVerifyInit_ex(context, nil, nil, nil, nil, pointer, nil) == 1
        && EVP_DigestVerify(context, signature, signature.count, input.baseAddress, input.count)
          == 1
    }
    if !valid { clearErrors() }
    return valid
  }

  /// Nil for what the product does not sign with: small RSA (RFC 7518 section 3.3), huge RSA, other curves.
  private static func type(of key: OpaquePointer) -> KeyType? {
    let bits = Int(unsafe EVP_PKEY_get_bits(key))
    if unsafe EVP_PKEY_is_a(key, "RSA") == 1 {
      return (2048...8192).contains(bits) ? .rsa(bits: bits) : nil
    }
    if unsafe EVP_PKEY_is_a(key, "ED25519") == 1 { return .ed25519 }
    guard unsafe EVP_PKEY_is_a(key, "EC") == 1 else { return nil }
    // RFC 5480 section 2.1.1: curves are named; spelled-out parameters have been used to forge (CVE-2020-0601).
    var isSpelledOut: CInt = 0
    let parameter = OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS
    guard unsafe EVP_PKEY_get_int_param(key, parameter, &isSpelledOut) == 1, isSpelledOut == 0
    else { return nil }
    var name = [CChar](repeating: 0, count: 64)
    guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, nil) == 1 else { return nil }
    let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return switch text {
    case "prime256v1": .p256
    case "secp384r1": .p384
    default: nil
    }
  }
}

/// A context that belongs to the pool or to one caller, which is the invariant for `@unchecked`.
@safe private struct OperationContext: @unchecked Sendable {
  let pointer: OpaquePointer

  func free() {
    unsafe EVP_PKEY_CTX_free(pointer)
  }
}
