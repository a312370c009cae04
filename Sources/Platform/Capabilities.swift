package import FoundationEssentials
import Glibc
import Synchronization

/// The time of day, passed in so that tests can move it.
package struct WallClock: Sendable {
  package let now: @Sendable () -> Date

  package init(now: @escaping @Sendable () -> Date) {
    self.now = now
  }

  /// The machine's clock.
  package static let system = WallClock { Date() }
}

/// A clock that stands still until a test moves it.
package final class ManualClock: Sendable {
  private let time: Mutex<Date>

  package init(_ start: Date) {
    time = Mutex(start)
  }

  package var clock: WallClock {
    WallClock { [self] in time.withLock { $0 } }
  }

  package func advance(bySeconds seconds: Double) {
    time.withLock { $0 = $0.addingTimeInterval(seconds) }
  }

  package func set(_ date: Date) {
    time.withLock { $0 = date }
  }
}

/// Where unpredictable bytes come from.
package struct RandomSource: Sendable {
  /// Exactly as many bytes as asked for.
  package let bytes: @Sendable (_ count: Int) -> [UInt8]

  package init(bytes: @escaping @Sendable (_ count: Int) -> [UInt8]) {
    self.bytes = bytes
  }

  /// The kernel's generator: `getrandom(2)`, asked by the C library.
  package static let system = RandomSource { count in
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      fill(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
      initialized = count
    }
  }

  /// Fills memory from the kernel's generator, with one system call for each 256 bytes (getentropy(3)).
  static func fill(_ memory: UnsafeMutableRawBufferPointer) {
    var filled = 0
    while filled < memory.count {
      let part = UnsafeMutableRawBufferPointer(rebasing: memory[filled...].prefix(256))
      precondition(
        getentropy(part.baseAddress, part.count) == 0, "the kernel gives no random bytes")
      filled += part.count
    }
  }

  /// A fresh token of `count` random bytes as base64url (RFC 4648 section 5).
  package func token(byteCount count: Int) -> String {
    Base64URL.encode(bytes(count))
  }
}
