import COpenSSL

/// A digest method of libcrypto, fetched once: fetching by name costs more than hashing a token.
///
/// Invariant for `@unchecked`: a fetched method is immutable, reference counted by libcrypto and never freed here.
@safe struct MessageDigest: @unchecked Sendable {
  let method: OpaquePointer
  let name: String
  let size: Int

  init(_ name: String) {
    guard let method = unsafe EVP_MD_fetch(nil, name, nil) else { missing(name) }
    unsafe self.method = unsafe method
    self.name = name
    size = Int(unsafe EVP_MD_get_size(method))
  }

  func hash(_ bytes: Span<UInt8>) -> [UInt8] {
    unsafe bytes.withUnsafeBufferPointer { input in
      unsafe [UInt8](unsafeUninitializedCapacity: size) { output, count in
        let done = unsafe EVP_Digest(
          input.baseAddress, input.count, output.baseAddress, nil, method, nil)
        must(done == 1, name)
        count = size
      }
    }
  }
}

/// A method other than a digest, with the same invariant as ``MessageDigest``.
@safe struct FetchedMethod: @unchecked Sendable {
  let pointer: OpaquePointer

  init(_ name: String, _ pointer: OpaquePointer?) {
    guard let pointer = unsafe pointer else { missing(name) }
    unsafe self.pointer = unsafe pointer
  }
}

/// What this process takes from libcrypto by name.
enum Provided {
  static let sha256 = MessageDigest("SHA2-256")
  static let sha384 = MessageDigest("SHA2-384")
  static let sha512 = MessageDigest("SHA2-512")
  static let hmac = unsafe FetchedMethod("HMAC", EVP_MAC_fetch(nil, "HMAC", nil))
  static let hkdf = unsafe FetchedMethod("HKDF", EVP_KDF_fetch(nil, "HKDF", nil))
  static let aes256GCM = unsafe FetchedMethod(
    "AES-256-GCM", EVP_CIPHER_fetch(nil, "AES-256-GCM", nil))

  static var libraryVersion: String {
    guard let text = unsafe OpenSSL_version(OPENSSL_VERSION) else { return "unknown" }
    return unsafe String(cString: text)
  }
}

/// Stops the process when libcrypto fails at what has no failure but lack of memory.
///
/// Going on would mean a digest or a nonce of uninitialised bytes.
func must(_ condition: Bool, _ operation: String) {
  precondition(condition, "libcrypto failed: \(operation)")
}

private func missing(_ name: String) -> Never {
  preconditionFailure("libcrypto provides no \(name)")
}

/// Bytes from libcrypto's generator, which every process and thread seeds from the kernel.
func randomBytes(_ count: Int) -> [UInt8] {
  unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
    must(unsafe RAND_bytes(buffer.baseAddress, CInt(count)) == 1, "RAND_bytes")
    initialized = count
  }
}

/// Forgets the errors a refused operation left on this thread, so that a later one does not report them.
func clearErrors() {
  ERR_clear_error()
}

/// Parameters for a libcrypto method, with copies of everything they point to, wiped afterwards.
@safe final class Parameters {
  private var entries: [OSSL_PARAM] = unsafe []
  private var copies: [SecretBytes] = []

  func append(_ name: String, text: String) {
    let value = copy(Array(text.utf8) + [0])
    unsafe entries.append(
      OSSL_PARAM_construct_utf8_string(
        key(name), value.base.assumingMemoryBound(to: CChar.self), text.utf8.count))
  }

  func append(_ name: String, octets: [UInt8]) {
    let value = copy(octets)
    unsafe entries.append(OSSL_PARAM_construct_octet_string(key(name), value.base, octets.count))
  }

  func append(_ name: String, number: CInt) {
    let value = unsafe copy(withUnsafeBytes(of: number) { unsafe Array($0) })
    unsafe entries.append(
      OSSL_PARAM_construct_int(key(name), value.base.assumingMemoryBound(to: CInt.self)))
  }

  /// A non-negative integer given big-endian; libcrypto wants the machine's order.
  func append(_ name: String, bigEndian: [UInt8]) {
    let value = copy(bigEndian.reversed())
    unsafe entries.append(
      OSSL_PARAM_construct_BN(
        key(name), value.base.assumingMemoryBound(to: UInt8.self), bigEndian.count))
  }

  func append(_ name: String, _ number: SecretNumber) {
    let count = Int((unsafe BN_num_bits(number.pointer) + 7) / 8)
    let value = unsafe SecretBytes(count: count) { buffer in
      let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
      must(
        unsafe BN_bn2nativepad(number.pointer, start, CInt(count)) == count, "BN_bn2nativepad")
    }
    copies.append(value)
    unsafe entries.append(
      OSSL_PARAM_construct_BN(key(name), value.base.assumingMemoryBound(to: UInt8.self), count))
  }

  /// Calls `body` with the terminated list; the pointer is good until it returns.
  func with<R>(_ body: (UnsafeMutablePointer<OSSL_PARAM>?) -> R) -> R {
    var list = unsafe entries
    unsafe list.append(OSSL_PARAM_construct_end())
    return unsafe list.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress) }
  }

  private func copy(_ bytes: [UInt8]) -> SecretBytes {
    let copy = SecretBytes(bytes)
    copies.append(copy)
    return copy
  }

  private func key(_ name: String) -> UnsafePointer<CChar> {
    unsafe UnsafePointer(copy(Array(name.utf8) + [0]).base.assumingMemoryBound(to: CChar.self))
  }
}
