import Glibc
import Platform
import Synchronization

/// Threads that compute Argon2id tags, a bounded queue in front of them, and a deadline for waiting in it.
///
/// A job is resumed by whoever takes it out of the queue: a thread, a cancelled caller, or nobody twice.
final class HashingPool: Sendable {
  private struct Job {
    let id: UInt64
    let input: Argon2id.Input
    let deadline: ContinuousClock.Instant
    let wait: Stopwatch
    let continuation: CheckedContinuation<[UInt8], any Error>
  }

  private struct State {
    var queue: [Job] = []
    var lastID: UInt64 = 0
    var threads = 0
    var idleThreads = 0
    var isStopping = false
    var stopped: [CheckedContinuation<Void, Never>] = []
  }

  private enum Step {
    case hash(Job)
    case wait
    case end([CheckedContinuation<Void, Never>])
  }

  private let state = Mutex(State())
  private let wake = Semaphore()
  private let threadsMax: Int
  private let queueMax: Int
  private let deadline: Duration
  private let idle: Duration

  init(threadsMax: Int, queueMax: Int, deadline: Duration, idle: Duration) {
    precondition(threadsMax > 0 && queueMax > 0)
    self.threadsMax = threadsMax
    self.queueMax = queueMax
    self.deadline = deadline
    self.idle = idle
  }

  let metrics = HashingMetrics()

  var threadCount: Int { state.withLock { $0.threads } }
  var queueLength: Int { state.withLock { $0.queue.count } }

  /// Whether three quarters of the queue are taken, or whoever waits longest has three quarters of the deadline behind them.
  var isCrowded: Bool {
    state.withLock { state in
      guard let oldest = state.queue.first else { return false }
      return Self.isCrowded(
        waiting: state.queue.count - state.idleThreads, queueMax: queueMax,
        left: oldest.deadline - .now, deadline: deadline)
    }
  }

  /// The rule without state.
  static func isCrowded(waiting: Int, queueMax: Int, left: Duration, deadline: Duration) -> Bool {
    waiting >= queueMax - queueMax / 4 || left <= deadline / 4
  }

  func tag(_ input: Argon2id.Input) async throws -> [UInt8] {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let job = Job(
          id: id, input: input, deadline: .now.advanced(by: deadline), wait: Stopwatch(),
          continuation: continuation)
        do {
          try enqueue(job)
        } catch {
          if error as? PasswordHashError == .busy { metrics.busy.add() }
          continuation.resume(throwing: error)
        }
      }
    } onCancel: {
      cancel(id)
    }
  }

  /// From now on every request is refused; what was accepted is finished.
  func refuseNew() {
    let threads = state.withLock { state in
      let first = !state.isStopping
      state.isStopping = true
      return first ? state.threads : 0
    }
    for _ in 0..<threads { wake.signal() }
  }

  /// Returns when the last thread has ended.
  func stop() async {
    refuseNew()
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        guard state.threads > 0 else { return true }
        state.stopped.append(continuation)
        return false
      }
      if isOver { continuation.resume() }
    }
  }

  private func enqueue(_ job: Job) throws {
    guard !Task.isCancelled else { throw CancellationError() }
    let startsThread = try state.withLock { state in
      guard !state.isStopping else { throw PasswordHashError.stopped }
      guard state.queue.count < queueMax + state.idleThreads else { throw PasswordHashError.busy }
      state.queue.append(job)
      guard state.queue.count > state.idleThreads, state.threads < threadsMax else { return false }
      state.threads += 1
      return true
    }
    wake.signal()
    if startsThread { startThread() }
  }

  private func cancel(_ id: UInt64) {
    let job = state.withLock { state in
      state.queue.firstIndex { $0.id == id }.map { state.queue.remove(at: $0) }
    }
    job?.continuation.resume(throwing: CancellationError())
  }

  private func startThread() {
    var thread = pthread_t()
    let retained = unsafe Unmanaged.passRetained(self)
    let result = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        pthread_detach(pthread_self())
        unsafe Unmanaged<HashingPool>.fromOpaque(argument).takeRetainedValue().work()
        return nil
      }, retained.toOpaque())
    guard result != 0 else { return }
    unsafe retained.release()
    abandonThread()
  }

  /// The system gave no thread: those who wait only for it are told, those who have another one keep waiting.
  private func abandonThread() {
    let (refused, stopped) = state.withLock { state in
      state.threads -= 1
      guard state.threads == 0 else { return ([Job](), [CheckedContinuation<Void, Never>]()) }
      defer {
        state.queue = []
        state.stopped = []
      }
      return (state.queue, state.stopped)
    }
    metrics.busy.add(refused.count)
    for job in refused { job.continuation.resume(throwing: PasswordHashError.busy) }
    for waiter in stopped { waiter.resume() }
  }

  private func work() {
    let thread = YieldingThread()
    let arena = Argon2Arena()
    while true {
      let isIdle = !wait()
      switch next(isIdle: isIdle) {
      case .wait: continue
      case .hash(let job): run(job, on: thread, in: arena)
      case .end(let waiters):
        for waiter in waiters { waiter.resume() }
        return
      }
    }
  }

  private func wait() -> Bool {
    state.withLock { $0.idleThreads += 1 }
    let signalled = wake.wait(atMost: idle)
    state.withLock { $0.idleThreads -= 1 }
    return signalled
  }

  private func next(isIdle: Bool) -> Step {
    state.withLock { state in
      if !state.queue.isEmpty { return .hash(state.queue.removeFirst()) }
      guard state.isStopping || isIdle else { return .wait }
      state.threads -= 1
      guard state.threads == 0 else { return .end([]) }
      defer { state.stopped = [] }
      return .end(state.stopped)
    }
  }

  private func run(_ job: Job, on thread: borrowing YieldingThread, in arena: Argon2Arena) {
    metrics.waits.observe(job.wait)
    guard ContinuousClock.now < job.deadline else {
      metrics.busy.add()
      job.continuation.resume(throwing: PasswordHashError.busy)
      return
    }
    let watch = Stopwatch()
    do {
      let tag = try thread.compute { () throws(CryptographyError) in
        try Argon2id.tag(job.input, arena: arena)
      }
      metrics.hashes.observe(watch)
      job.continuation.resume(returning: tag)
    } catch {
      job.continuation.resume(throwing: error)
    }
  }
}

/// What the threads count.
struct HashingMetrics: Sendable {
  let busy = Counter()
  let waits = DurationHistogram(.interactive)
  let hashes = DurationHistogram(.interactive)
}

/// A POSIX semaphore: a thread of ours waits in it, never one of the cooperative pool.
///
/// Invariant for `@unchecked`: the semaphore lives at one address from `init` to `deinit`, and its functions are
/// made for concurrent use.
@safe private final class Semaphore: @unchecked Sendable {
  private let semaphore: UnsafeMutablePointer<sem_t>

  init() {
    unsafe semaphore = .allocate(capacity: 1)
    unsafe sem_init(semaphore, 0, 0)
  }

  deinit {
    unsafe sem_destroy(semaphore)
    unsafe semaphore.deallocate()
  }

  func signal() {
    unsafe sem_post(semaphore)
  }

  /// False when the time passed without a signal.
  func wait(atMost duration: Duration) -> Bool {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    let (seconds, attoseconds) = duration.components
    let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
    time.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
    time.tv_nsec = nanoseconds % 1_000_000_000
    while true {
      if unsafe sem_timedwait(semaphore, &time) == 0 { return true }
      if errno != EINTR { return false }
    }
  }
}
