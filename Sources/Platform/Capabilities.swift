package import FoundationEssentials
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

  /// The kernel's generator: `getrandom(2)`, which the standard library calls on Linux.
  package static let system = RandomSource { count in
    var generator = SystemRandomNumberGenerator()
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while initialized < count {
        var word = generator.next()
        for _ in 0..<min(8, count - initialized) {
          buffer.initializeElement(at: initialized, to: UInt8(truncatingIfNeeded: word))
          word >>= 8
          initialized += 1
        }
      }
    }
  }

  /// A fresh token of `count` random bytes as base64url (RFC 4648 section 5).
  package func token(byteCount count: Int) -> String {
    Base64URL.encode(bytes(count))
  }
}
