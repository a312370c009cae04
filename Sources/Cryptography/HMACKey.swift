import COpenSSL

/// A key for HMAC-SHA-256 (RFC 2104), with its padded key blocks hashed once.
package struct HMACKey: Sendable {
  private let context: KeyedContext

  package init(_ bytes: [UInt8]) {
    context = KeyedContext(SecretBytes(bytes))
  }

  package init(_ key: SymmetricKey) {
    context = KeyedContext(key.secret)
  }

  package init(_ secret: SecretBytes) {
    context = KeyedContext(secret)
  }

  package func sha256(_ message: [UInt8]) -> [UInt8] { context.code(for: message.span) }

  package func sha256(_ message: Span<UInt8>) -> [UInt8] { context.code(for: message) }

  package func sha256(_ message: String) -> [UInt8] { context.code(for: message.utf8.span) }

  /// Whether `code` belongs to `message`; constant time, and truncated codes are refused.
  package func isValid(_ code: [UInt8], for message: [UInt8]) -> Bool {
    constantTimeEquals(code, sha256(message))
  }

  package func isValid(_ code: [UInt8], for message: Span<UInt8>) -> Bool {
    constantTimeEquals(code, sha256(message))
  }
}

extension HMACKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var debugDescription: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

/// An initialised MAC context that is only ever duplicated.
///
/// Invariant for `@unchecked`: nothing writes to the context after `init`; `EVP_MAC_CTX_dup` reads it.
@safe private final class KeyedContext: @unchecked Sendable {
  private let context: OpaquePointer

  init(_ secret: SecretBytes) {
    guard let context = unsafe EVP_MAC_CTX_new(Provided.hmac.pointer) else {
      preconditionFailure("libcrypto failed: EVP_MAC_CTX_new")
    }
    let parameters = Parameters()
    parameters.append(OSSL_MAC_PARAM_DIGEST, text: Provided.sha256.name)
    let done = unsafe parameters.with { list in
      unsafe EVP_MAC_init(
        context, secret.base.assumingMemoryBound(to: UInt8.self), secret.count, list)
    }
    must(done == 1, "EVP_MAC_init")
    unsafe self.context = unsafe context
  }

  deinit {
    unsafe EVP_MAC_CTX_free(context)
  }

  func code(for message: Span<UInt8>) -> [UInt8] {
    let copy = unsafe EVP_MAC_CTX_dup(context)
    defer { unsafe EVP_MAC_CTX_free(copy) }
    unsafe message.withUnsafeBufferPointer { input in
      must(unsafe EVP_MAC_update(copy, input.baseAddress, input.count) == 1, "EVP_MAC_update")
    }
    return unsafe [UInt8](unsafeUninitializedCapacity: SHA256Digest.byteCount) { output, count in
      var length = 0
      let done = unsafe EVP_MAC_final(copy, output.baseAddress, &length, output.count)
      must(done == 1 && length == SHA256Digest.byteCount, "EVP_MAC_final")
      count = length
    }
  }
}
