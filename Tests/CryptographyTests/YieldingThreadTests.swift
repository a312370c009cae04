import Foundation
import Glibc
import Testing

@testable import Cryptography

@Suite("A thread that yields while it computes", .timeLimit(.minutes(1)))
struct YieldingThreadTests {
  /// What `body` returns, from a thread that ends with it.
  static func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      Thread { continuation.resume(returning: body()) }.start()
    }
  }

  /// Slices of a thread's own came with Linux 6.12; from then on nothing may be skipped for want of them.
  static let hasSlices: Bool = {
    let version = ProcessInfo.processInfo.operatingSystemVersion
    return (version.majorVersion, version.minorVersion) >= (6, 12)
  }()

  static func holdSignalBack() {
    var signals = sigset_t()
    sigaddset(&signals, YieldingThread.signal)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// True when the signal that was held back, or another one within `milliseconds`, could be taken.
  static func takeSignal(within milliseconds: Int) -> Bool {
    var signals = sigset_t()
    sigaddset(&signals, YieldingThread.signal)
    var patience = timespec(
      tv_sec: milliseconds / 1_000, tv_nsec: milliseconds % 1_000 * 1_000_000)
    return sigtimedwait(&signals, nil, &patience) == YieldingThread.signal
  }

  @Test(
    "a computation is interrupted, again and again, and nothing after it",
    .enabled(if: hasSlices))
  func interrupted() async {
    let (yields, times, afterwards) = await Self.onOwnThread {
      let thread = YieldingThread()
      Self.holdSignalBack()
      let times = thread.compute { (0..<3).filter { _ in Self.takeSignal(within: 10_000) }.count }
      // One may have been held back.
      _ = Self.takeSignal(within: 0)
      return (thread.yields, times, Self.takeSignal(within: 25))
    }
    #expect(yields)
    #expect(times == 3)
    #expect(!afterwards)
    var action = sigaction()
    sigaction(YieldingThread.signal, nil, &action)
    #expect(action.__sigaction_handler.sa_handler != nil)
  }

  @Test(
    "the signal is let through where it was blocked, and a hash is the same",
    .enabled(if: hasSlices))
  func computation() async throws {
    let cost = Argon2id.Cost(memoryKiB: 8_192, iterations: 3, lanes: 1)
    let expected = try Argon2id.tag(HashingPoolTests.input(cost), arena: nil)
    let (blocked, tags) = await Self.onOwnThread {
      Self.holdSignalBack()
      let thread = YieldingThread()
      var mask = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &mask)
      let arena = Argon2Arena()
      let tags = (0..<5).map { _ in
        thread.compute { try? Argon2id.tag(HashingPoolTests.input(cost), arena: arena) }
      }
      return (sigismember(&mask, YieldingThread.signal) == 1, tags)
    }
    #expect(!blocked)
    #expect(tags == Array(repeating: expected, count: 5))
  }

  @Test("the thread is nice, or stays as nice as it was")
  func nice() async {
    let (before, after) = await Self.onOwnThread {
      let process = __priority_which_t(PRIO_PROCESS.rawValue)
      let before = getpriority(process, 0)
      _ = YieldingThread()
      return (before, getpriority(process, 0))
    }
    #expect(after == max(before, YieldingThread.niceness))
  }
}
