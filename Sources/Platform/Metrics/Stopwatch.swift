import Glibc

/// A moment of the monotonic clock, to see how long something took.
///
/// `ContinuousClock` would do the same with 128-bit arithmetic; this is on every request.
package struct Stopwatch: Sendable {
  private let start: Int

  package init() { start = Self.now }

  package var nanoseconds: Int { Self.now - start }

  private static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
