import Synchronization

/// The one thread for what libpq can only do blocking: opening, cancelling and closing connections.
final class Janitor: Sendable {
  private let work = Mutex<[@Sendable () -> Void]>([])
  private let wakeUp = WakeUp(blocking: true)
  private let isStopped = Atomic(false)

  func start() {
    DedicatedThread.start { [self] in run() }
  }

  func enqueue(_ item: @escaping @Sendable () -> Void) {
    work.withLock { $0.append(item) }
    wakeUp.signal()
  }

  /// Ends the thread once everything enqueued before is done.
  func stop() {
    isStopped.store(true, ordering: .releasing)
    wakeUp.signal()
  }

  private func run() {
    while true {
      wakeUp.consume()
      let stopping = isStopped.load(ordering: .acquiring)
      let items = work.withLock { work in
        defer { work = [] }
        return work
      }
      for item in items { item() }
      if stopping { break }
    }
    wakeUp.close()
  }
}
