import COpenSSL

/// SHA-2 (FIPS 180-4) over bytes that are already in memory.
package enum SHA2 {
  package static func sha256(_ bytes: [UInt8]) -> [UInt8] { Provided.sha256.hash(bytes.span) }
  package static func sha256(_ bytes: Span<UInt8>) -> [UInt8] { Provided.sha256.hash(bytes) }
  package static func sha256(_ text: String) -> [UInt8] { Provided.sha256.hash(text.utf8.span) }
  package static func sha384(_ bytes: [UInt8]) -> [UInt8] { Provided.sha384.hash(bytes.span) }
  package static func sha512(_ bytes: [UInt8]) -> [UInt8] { Provided.sha512.hash(bytes.span) }
}

/// A SHA-256 digest as a value: a dictionary key, a column, a file's checksum.
package struct SHA256Digest: Sendable, Hashable {
  package static let byteCount = 32
  package let bytes: [UInt8]

  package init(of bytes: [UInt8]) {
    self.bytes = SHA2.sha256(bytes)
  }

  package init(of text: String) {
    bytes = SHA2.sha256(text)
  }

  /// Adopts a digest made elsewhere; nil unless it has 32 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = bytes
  }
}

/// SHA-256 over a stream; not Sendable, since it is one writer's state.
@safe package final class SHA256Hasher {
  private let context: OpaquePointer

  package init() {
    guard let context = unsafe EVP_MD_CTX_new() else {
      preconditionFailure("libcrypto failed: EVP_MD_CTX_new")
    }
    unsafe self.context = unsafe context
    start()
  }

  deinit {
    unsafe EVP_MD_CTX_free(context)
  }

  package func update(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { input in
      must(unsafe EVP_DigestUpdate(context, input.baseAddress, input.count) == 1, "DigestUpdate")
    }
  }

  package func update(_ bytes: [UInt8]) { update(bytes.span) }

  package func update(_ bytes: ArraySlice<UInt8>) { update(bytes.span) }

  /// The digest of everything so far; the hasher starts afresh.
  package func finalize() -> [UInt8] {
    let digest = unsafe [UInt8](unsafeUninitializedCapacity: SHA256Digest.byteCount) {
      output, count in
      must(unsafe EVP_DigestFinal_ex(context, output.baseAddress, nil) == 1, "DigestFinal")
      count = SHA256Digest.byteCount
    }
    start()
    return digest
  }

  private func start() {
    must(unsafe EVP_DigestInit_ex2(context, Provided.sha256.method, nil) == 1, "DigestInit")
  }
}

/// Compares without telling where the difference is; lengths are not secret.
package func constantTimeEquals(_ first: [UInt8], _ second: [UInt8]) -> Bool {
  guard first.count == second.count else { return false }
  guard !first.isEmpty else { return true }
  return unsafe first.withUnsafeBytes { left in
    unsafe second.withUnsafeBytes { right in
      unsafe CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
    }
  }
}

/// The same for text, by its UTF-8.
package func constantTimeEquals(_ first: String, _ second: String) -> Bool {
  constantTimeEquals(Array(first.utf8), Array(second.utf8))
}
