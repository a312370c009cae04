import CPostgres
import Glibc
import Synchronization

/// One libpq connection, always in pipeline mode while it is idle.
///
/// Invariant behind `@unchecked Sendable`: everything but `signal` belongs to exactly one owner at a time. The owner is the
/// task that leased the connection; while that task waits for an answer it is whoever took the continuation out of
/// `signal` (the reactor, or the cancellation handler, which touches nothing and gives it straight back).
@safe final class Connection: @unchecked Sendable {
  /// What a waiting task is told.
  enum Outcome: Sendable { case finished, lost, cancelled, timedOut, again }

  enum Role: Equatable {
    case platform, tenant(TenantSchema)
    /// After an error in a batch that changed it.
    case unknown
  }

  let handle: OpaquePointer
  let socket: Int32
  private let canceller: OpaquePointer?
  let reactor: Reactor
  let statementNanoseconds: UInt64
  private let signal = Mutex(Signal())

  /// How the server plans prepared statements.
  enum Planning {
    case automatic, once, unknown

    /// A plan that is kept must not read a table from end to end because that was empty when the plan was made.
    var commands: [String] {
      switch self {
      case .automatic: ["reset plan_cache_mode", "reset enable_seqscan"]
      case .once: ["set plan_cache_mode = force_generic_plan", "set enable_seqscan = off"]
      case .unknown: []
      }
    }
  }

  var role = Role.platform
  var planning = Planning.automatic
  var writer = ParameterWriter()
  var prepared: PreparedStatements
  /// The answers of the current batch, one for each command.
  var results: [OpaquePointer] = unsafe []
  var syncsPending = 0
  var isSimpleQuery = false
  /// Whether answers may take longer than a statement's time; as long as a transaction says so.
  var isPatient = false
  /// Whether statements of tenants that are planned once are prepared.
  var preparesTenantStatements = true
  private var isFlushing = false
  /// The statements this batch parses, and where they stand among its commands.
  var preparing: [(key: StatementKey, index: Int)] = []
  /// Where this batch switches to tenants' roles.
  var roleChanges: [Int] = []
  var commandsSent = 0
  /// The command of this batch that the server refused.
  var failedCommand: Int?
  /// Set when the connection must not be used again.
  private(set) var isBroken = false
  private(set) var needsCancel = false
  /// Its place in the pool.
  var place = 0
  /// A listener reads for itself; the reactor only wakes it.
  var isListener = false
  var wear: Wear

  /// What the waiting task, the reactor and a cancellation share.
  private struct Signal {
    var waiter: Resumption<Outcome, Never>?
    var readable = false
    var cancelled = false
    var deadline: UInt64 = .max

    mutating func takeWaiter() -> Resumption<Outcome, Never>? {
      defer { waiter = nil }
      return waiter
    }
  }

  init(handle: OpaquePointer, reactor: Reactor, settings: DatabaseSettings) {
    unsafe self.handle = handle
    self.reactor = reactor
    socket = unsafe PQsocket(handle)
    unsafe canceller = PQgetCancel(handle)
    statementNanoseconds = UInt64(settings.statementSeconds + 5) * 1_000_000_000
    prepared = PreparedStatements(capacity: settings.preparedStatementsMax)
    wear = Wear(tenantsMax: settings.tenantsPerConnectionMax, chance: .random(in: 0 ... .max))
  }

  /// Who may use it without SET ROLE.
  var affinity: Affinity? {
    switch role {
    case .platform: .platform
    case .tenant(let schema): Affinity(schema)
    case .unknown: nil
    }
  }

  /// Whether the next user should get a fresh connection instead.
  var isSpent: Bool {
    isBroken || wear.isSpent(now: Monotonic.now()) || !isOutsideTransaction
  }

  private var isAlive: Bool { unsafe PQstatus(handle) == CONNECTION_OK }
  private var isOutsideTransaction: Bool { unsafe PQtransactionStatus(handle) == PQTRANS_IDLE }

  func markBroken(cancel: Bool) {
    isBroken = true
    needsCancel = needsCancel || cancel
  }

  /// Prepares no statements of tenants in this transaction, which makes a tenant or gives it its first rows; noted once for each.
  func beginTenant() {
    if preparesTenantStatements { wear.begin() }
    preparesTenantStatements = false
  }

  /// Sends Terminate and frees everything; blocking, for the janitor only.
  func close() {
    reactor.remove(self)
    clearResults()
    if let canceller = unsafe canceller {
      if needsCancel {
        var message = [CChar](repeating: 0, count: 256)
        _ = unsafe PQcancel(canceller, &message, Int32(message.count))
      }
      unsafe PQfreeCancel(canceller)
    }
    unsafe PQfinish(handle)
  }

  /// Looks at what arrived while nobody waited: a farewell of the server, usually.
  func isUsable(rested: Bool) -> Bool {
    let noticed = signal.withLock { signal in
      defer { signal.readable = false }
      return signal.readable
    }
    // The reactor may not have seen yet what arrived a moment ago; asking costs a system call, so only after a rest.
    guard noticed || rested else { return true }
    // An idle connection hears little but goodbye, and the end of the stream may follow that later.
    return !Descriptor.isReadable(socket)
  }

  // MARK: Waiting

  /// Waits until the batch is answered or the connection is lost.
  func wait(cancellable: Bool, patient: Bool) async -> Outcome {
    while true {
      let arrived = signal.withLock { signal in
        defer { signal.readable = false }
        signal.cancelled = false
        signal.deadline = patient ? .max : Monotonic.now() + statementNanoseconds
        return signal.readable
      }
      if arrived, let outcome = process() { return outcome }
      let outcome =
        if cancellable {
          await withTaskCancellationHandler {
            await suspend()
          } onCancel: {
            cancelWait()
          }
        } else {
          await suspend()
        }
      if outcome != .again { return outcome }
    }
  }

  /// Waits until something can be read, without a deadline: for LISTEN.
  func waitForInput() async -> Outcome {
    await withTaskCancellationHandler {
      await suspending { resume in
        let outcome: Outcome? = signal.withLock { signal in
          if signal.cancelled { return .cancelled }
          if signal.readable {
            signal.readable = false
            return .again
          }
          signal.deadline = .max
          signal.waiter = resume
          return nil
        }
        if let outcome { resume(outcome) }
      }
    } onCancel: {
      cancelWait()
    }
  }

  private func suspend() async -> Outcome {
    await suspending { resume in
      let outcome: Outcome? = signal.withLock { signal in
        if signal.cancelled { return .cancelled }
        if signal.readable { return .again }
        signal.waiter = resume
        return nil
      }
      if let outcome { resume(outcome) }
    }
  }

  private func cancelWait() {
    let waiter = signal.withLock { signal in
      signal.cancelled = true
      return signal.takeWaiter()
    }
    waiter?(.cancelled)
  }

  // MARK: The reactor's side

  /// The socket became readable (or writable): make progress, and wake the task when the batch is answered.
  func socketIsReady() {
    let waiter = signal.withLock { signal in
      let waiter = signal.takeWaiter()
      if waiter == nil { signal.readable = true }
      return waiter
    }
    guard let waiter else { return }
    if isListener { return waiter(.again) }
    if let outcome = process() { return waiter(outcome) }
    let cancelled = signal.withLock { signal in
      if !signal.cancelled { signal.waiter = waiter }
      return signal.cancelled
    }
    if cancelled { waiter(.cancelled) }
  }

  /// Gives up a wait whose deadline has passed.
  func expire(now: UInt64) {
    let waiter = signal.withLock { signal in
      signal.deadline <= now ? signal.takeWaiter() : nil
    }
    waiter?(.timedOut)
  }

  /// Reads and writes what is possible now; nil means more must arrive.
  ///
  /// The socket is registered edge-triggered, so nil is only returned after the kernel said there is nothing to read.
  private func process() -> Outcome? {
    repeat {
      if isFlushing, !flush() { return .lost }
      let alive = unsafe PQconsumeInput(handle) == 1
      if let outcome = collect() { return outcome }
      if !alive || !isAlive { return .lost }
    } while Descriptor.isReadable(socket)
    return nil
  }

  /// Sends what libpq has buffered; what the socket does not take now is sent by the reactor.
  func flush() -> Bool {
    let state = unsafe PQflush(handle)
    if state < 0 { return false }
    let mustWait = state == 1
    if mustWait != isFlushing {
      isFlushing = mustWait
      reactor.watch(self, forWriting: mustWait)
    }
    return true
  }

  /// Takes complete answers out of libpq; `.finished` once the last synchronisation point was reached.
  private func collect() -> Outcome? {
    var endsSeen = 0
    while unsafe PQisBusy(handle) == 0 {
      guard let result = unsafe PQgetResult(handle) else {
        if isSimpleQuery { return .finished }
        // The end of one command's results; two in a row would mean that libpq has nothing more to wait for.
        endsSeen += 1
        if endsSeen > 1 { return .lost }
        continue
      }
      endsSeen = 0
      if unsafe PQresultStatus(result) == PGRES_PIPELINE_SYNC {
        unsafe PQclear(result)
        syncsPending -= 1
        if syncsPending == 0 { return .finished }
      } else {
        unsafe results.append(result)
        if !isAlive { return .lost }
      }
    }
    return nil
  }

  func clearResults() {
    unsafe results.forEach { unsafe PQclear($0) }
    unsafe results.removeAll(keepingCapacity: true)
  }
}
