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

  static var isSignalPending: Bool {
    var pending = sigset_t()
    sigpending(&pending)
    return sigismember(&pending, YieldingThread.signal) == 1
  }

  static func holdSignalBack() {
    var signals = sigset_t()
    sigaddset(&signals, YieldingThread.signal)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// True when the signal that was held back, or another one within 100 periods, could be taken.
  static func takeSignal() -> Bool {
    var signals = sigset_t()
    sigaddset(&signals, YieldingThread.signal)
    var patience = timespec(tv_sec: 0, tv_nsec: 25_000_000)
    return sigtimedwait(&signals, nil, &patience) == YieldingThread.signal
  }

  @Test("a computation is interrupted, again and again, and nothing after it")
  func interrupted() async {
    let (times, afterwards) = await Self.onOwnThread {
      let thread = YieldingThread()
      Self.holdSignalBack()
      let times = thread.compute {
        var times = 0
        while times < 3 {
          while !Self.isSignalPending {}
          if Self.takeSignal() { times += 1 }
        }
        return times
      }
      if Self.isSignalPending { _ = Self.takeSignal() }
      return (times, Self.takeSignal())
    }
    #expect(times == 3)
    #expect(!afterwards)
  }

  @Test("the signal is let through where it was blocked, and an interrupted hash is the same")
  func computation() async throws {
    let cost = Argon2id.Cost(memoryKiB: 8_192, iterations: 3, lanes: 1)
    let expected = try Argon2id.tag(HashingPoolTests.input(cost), arena: nil)
    let (blocked, niceness, tags) = await Self.onOwnThread {
      Self.holdSignalBack()
      let thread = YieldingThread()
      var mask = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &mask)
      let arena = Argon2Arena()
      let tags = (0..<5).map { _ in
        thread.compute { try? Argon2id.tag(HashingPoolTests.input(cost), arena: arena) }
      }
      return (
        sigismember(&mask, YieldingThread.signal) == 1,
        getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0), tags
      )
    }
    #expect(!blocked)
    #expect(niceness == 5)
    #expect(tags == Array(repeating: expected, count: 5))
  }
}
