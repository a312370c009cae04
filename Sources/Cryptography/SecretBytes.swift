import COpenSSL

/// Secret bytes of any length, outside Swift's arrays: never copied by accident, wiped when the last owner lets go.
///
/// Invariant for `@unchecked`: the memory is written before the initialiser returns and never again until `deinit`.
@safe package final class SecretBytes: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  package let count: Int

  package convenience init(_ bytes: [UInt8]) {
    unsafe self.init(count: bytes.count) { buffer in unsafe buffer.copyBytes(from: bytes) }
  }

  package convenience init(_ text: String) {
    self.init(Array(text.utf8))
  }

  package convenience init(randomCount count: Int) {
    unsafe self.init(count: count) { buffer in
      must(
        unsafe RAND_priv_bytes(buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), CInt(count))
          == 1, "RAND_priv_bytes")
    }
  }

  init(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
    self.count = count
    // One byte at least, so that an empty secret has an address too.
    let size = max(count, 1)
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    unsafe fill(UnsafeMutableRawBufferPointer(start: base, count: count))
  }

  deinit {
    unsafe OPENSSL_cleanse(base, count)
    unsafe base.deallocate()
  }

  /// A copy in ordinary memory, for what has to leave: sealing a key under another.
  package func reveal() -> [UInt8] {
    unsafe Array(UnsafeRawBufferPointer(start: base, count: count))
  }

  package func equals(_ other: SecretBytes) -> Bool {
    unsafe count == other.count && CRYPTO_memcmp(base, other.base, count) == 0
  }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var debugDescription: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

/// A 256 bit key: for ``AESGCM``, ``HMACKey`` and ``HKDF``.
package struct SymmetricKey: Sendable {
  package static let byteCount = 32
  let secret: SecretBytes

  /// A new key from libcrypto's private generator.
  package init() {
    secret = SecretBytes(randomCount: Self.byteCount)
  }

  /// Adopts exactly 32 bytes.
  package init(_ bytes: [UInt8]) throws(CryptographyError) {
    guard bytes.count == Self.byteCount else {
      throw .invalidKey("a symmetric key has \(Self.byteCount) bytes")
    }
    secret = SecretBytes(bytes)
  }

  init(secret: SecretBytes) {
    self.secret = secret
  }

  package static func generate() -> SymmetricKey { SymmetricKey() }

  /// The bytes, for wrapping this key under another one.
  package func reveal() -> [UInt8] { secret.reveal() }
}

extension SymmetricKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var debugDescription: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
