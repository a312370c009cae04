import CScheduling
import Glibc

/// The current thread, made nice, which yields its processor every quarter of a millisecond while it computes.
///
/// Linux decides who runs when a thread is woken and at each tick, 4 ms apart as kernels are usually built. A thread that is woken
/// soon after it has had its share is not let in at once, and waits for the tick behind one that only computes, however nice
/// that is. So a timer interrupts the computation with a signal, and the signal's handler yields (decision 0017). A yield gives
/// up the rest of a slice: the slice is shorter than the time between two, and without such slices (Linux 6.12) there is no timer.
///
/// Not Sendable: it belongs to its thread, and restores nothing but the timer when it goes.
@safe struct YieldingThread: ~Copyable {
  /// False where the system knows or allows no slices or timers of a thread's own: it is nice then, and no more.
  private(set) var yields = false
  /// Nil is a timer too: the C library puts the kernel's number into the pointer, and the first one is 0.
  private var timer: timer_t?

  /// Requests that need no password come first when processors are short.
  static let niceness: CInt = 5
  private static let sliceNanoseconds: UInt64 = 200_000
  private static let period = timespec(tv_sec: 0, tv_nsec: 250_000)
  /// A signal that does no harm elsewhere: it is ignored by default, and means urgent data on a socket to who asked for that.
  static let signal = SIGURG

  private static let handlesSignal: Bool = {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in sched_yield() }
    action.sa_flags = SA_RESTART
    return unsafe sigaction(signal, &action, nil) == 0
  }()

  init() {
    let process = __priority_which_t(PRIO_PROCESS.rawValue)
    setpriority(process, 0, Self.niceness)
    guard Self.handlesSignal, setSlice(getpriority(process, 0), Self.sliceNanoseconds) == 0 else {
      return
    }
    // Threads of Dispatch block signals, and so do those they start.
    var signals = sigset_t()
    unsafe sigaddset(&signals, Self.signal)
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    yields = unsafe createThreadTimer(Self.signal, &timer) == 0
  }

  deinit {
    if yields { unsafe timer_delete(timer) }
  }

  /// Runs `body`, which may be interrupted anywhere: it must not call what then fails with `EINTR`.
  func compute<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    setTimer(Self.period)
    defer { setTimer(timespec()) }
    return try body()
  }

  private func setTimer(_ period: timespec) {
    guard yields else { return }
    var specification = itimerspec(it_interval: period, it_value: period)
    unsafe timer_settime(timer, 0, &specification, nil)
  }
}
