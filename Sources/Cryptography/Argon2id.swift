import CArgon2
import Glibc

/// Argon2id version 1.3 (RFC 9106) as one blocking call; the product hashes through ``PasswordHasher``.
package enum Argon2id {
  /// What a hash costs.
  package struct Cost: Sendable, Hashable {
    package let memoryKiB: Int
    package let iterations: Int
    package let lanes: Int

    package init(memoryKiB: Int, iterations: Int, lanes: Int) {
      self.memoryKiB = memoryKiB
      self.iterations = iterations
      self.lanes = lanes
    }

    /// OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
    package static let standard = Cost(memoryKiB: 19_456, iterations: 2, lanes: 1)

    /// RFC 9106 section 3.1, and our ceilings: a stored hash must not be a way to take the memory of the process.
    var isAcceptable: Bool {
      (1...16).contains(lanes) && (1...64).contains(iterations)
        && (8 * lanes...1_048_576).contains(memoryKiB)
    }
  }

  /// What goes into a hash.
  struct Input: Sendable {
    let password: SecretBytes
    let salt: SecretBytes
    let secret: SecretBytes?
    let associatedData: SecretBytes?
    let cost: Cost
    let tagCount: Int
  }

  static func tag(_ input: Input, arena: Argon2Arena?) throws(CryptographyError) -> [UInt8] {
    guard input.cost.isAcceptable else { throw .libraryFailure("Argon2 cost") }
    var result = CInt(ARGON2_INCORRECT_PARAMETER.rawValue)
    let tag = unsafe [UInt8](unsafeUninitializedCapacity: input.tagCount) { output, count in
      var context = unsafe argon2_context()
      unsafe context.out = output.baseAddress
      unsafe context.outlen = UInt32(input.tagCount)
      unsafe (context.pwd, context.pwdlen) = input.password.argument
      unsafe (context.salt, context.saltlen) = input.salt.argument
      if let secret = input.secret {
        unsafe (context.secret, context.secretlen) = secret.argument
      }
      if let data = input.associatedData { unsafe (context.ad, context.adlen) = data.argument }
      unsafe context.t_cost = UInt32(input.cost.iterations)
      unsafe context.m_cost = UInt32(input.cost.memoryKiB)
      unsafe context.lanes = UInt32(input.cost.lanes)
      unsafe context.threads = 1
      unsafe context.version = ARGON2_VERSION_13.rawValue
      if let arena {
        unsafe context.allocate_cbk = lendArena
        unsafe context.free_cbk = keepArena
        result = arena.lend { unsafe argon2_ctx(&context, Argon2_id) }
      } else {
        result = unsafe argon2_ctx(&context, Argon2_id)
      }
      count = result == ARGON2_OK.rawValue ? input.tagCount : 0
    }
    guard result == ARGON2_OK.rawValue else { throw .libraryFailure("argon2_ctx \(result)") }
    return tag
  }
}

extension SecretBytes {
  /// The C arguments; libargon2 takes them mutable, but writes only when asked to by a flag.
  fileprivate var argument: (UnsafeMutablePointer<UInt8>?, UInt32) {
    unsafe (base.assumingMemoryBound(to: UInt8.self), UInt32(count))
  }
}

/// The memory one thread hashes in, kept from one hash to the next: 19 MiB of fresh pages cost more than a tenth of a hash.
///
/// libargon2 wipes it after each hash. Not Sendable: it belongs to its thread.
@safe final class Argon2Arena {
  private var base: UnsafeMutableRawPointer?
  private var capacity = 0
  private static let hugePageBytes = 2 * 1024 * 1024
  /// The arena the current thread lends, since libargon2's callbacks take no context.
  fileprivate static let current: pthread_key_t = {
    var key = pthread_key_t()
    let result = unsafe pthread_key_create(&key, nil)
    precondition(result == 0, "pthread_key_create")
    return key
  }()

  deinit {
    unsafe free(base)
  }

  func lend(_ body: () -> CInt) -> CInt {
    unsafe pthread_setspecific(Self.current, Unmanaged.passUnretained(self).toOpaque())
    defer { pthread_setspecific(Self.current, nil) }
    return body()
  }

  fileprivate func reserve(_ count: Int) -> UnsafeMutableRawPointer? {
    if count > capacity {
      unsafe free(base)
      unsafe base = nil
      capacity = 0
      let size = (count + Self.hugePageBytes - 1) / Self.hugePageBytes * Self.hugePageBytes
      guard unsafe posix_memalign(&base, Self.hugePageBytes, size) == 0 else { return nil }
      // Argon2 reads at random: with 4 KiB pages most of its time is address translation. Advice only.
      unsafe madvise(base, size, MADV_HUGEPAGE)
      capacity = size
    }
    return unsafe base
  }
}

private func lendArena(
  _ memory: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, _ count: Int
) -> CInt {
  guard let memory = unsafe memory, let current = unsafe pthread_getspecific(Argon2Arena.current)
  else { return -1 }
  let arena = unsafe Unmanaged<Argon2Arena>.fromOpaque(current).takeUnretainedValue()
  guard let base = unsafe arena.reserve(count) else { return -1 }
  unsafe memory.pointee = base.assumingMemoryBound(to: UInt8.self)
  return 0
}

private func keepArena(_ memory: UnsafeMutablePointer<UInt8>?, _ count: Int) {}
