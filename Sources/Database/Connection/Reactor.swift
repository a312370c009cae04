import CPostgres
import Glibc
import Platform
import Synchronization

/// The one thread that waits for the sockets of all connections and resumes the task each answer belongs to.
final class Reactor: Sendable {
  private let epoll: Int32
  private let wakeUp = WakeUp(blocking: false)
  /// Connections by descriptor.
  private let connections = Mutex<[Connection?]>([])
  private let isStopped = Atomic(false)

  private let isHurried = Atomic(false)
  /// Batches whose answers somebody waited for.
  let roundTrips = Counter()

  private static let eventsMax = 128

  init() {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    precondition(epoll >= 0, "the kernel has no epoll instance left for this process")
    _ = control(EPOLL_CTL_ADD, wakeUp.descriptor, EPOLLIN.rawValue)
  }

  /// Starts the thread; `tick` runs on it about ten times a second, or every two milliseconds while it says so.
  func start(tick: @escaping @Sendable (_ now: UInt64) -> Bool) {
    DedicatedThread.start { [self] in run(tick) }
  }

  /// Has the next tick come soon.
  func hurry() {
    if !isHurried.exchange(true, ordering: .acquiringAndReleasing) { wakeUp.signal() }
  }

  func stop() {
    isStopped.store(true, ordering: .releasing)
    wakeUp.signal()
  }

  /// Watches the connection; false when the kernel refuses.
  func add(_ connection: Connection) -> Bool {
    let index = Int(connection.socket)
    connections.withLock { connections in
      while connections.count <= index { connections.append(nil) }
      connections[index] = connection
    }
    return control(EPOLL_CTL_ADD, connection.socket, Self.reading)
  }

  /// Lets go of the connection, unless its descriptor is another one's by now: libpq closes that of a lost connection, and
  /// the next to be opened gets the number.
  func remove(_ connection: Connection) {
    connections.withLock { connections in
      let index = Int(connection.socket)
      guard connections.indices.contains(index), connections[index] === connection else { return }
      connections[index] = nil
      _ = control(EPOLL_CTL_DEL, connection.socket, 0)
    }
  }

  func watch(_ connection: Connection, forWriting: Bool) {
    let events = forWriting ? Self.reading | EPOLLOUT.rawValue : Self.reading
    _ = control(EPOLL_CTL_MOD, connection.socket, events)
  }

  /// Edge-triggered: registered once, and no system call for each statement.
  private static let reading = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue

  private func control(_ operation: Int32, _ descriptor: Int32, _ events: UInt32) -> Bool {
    var event = unsafe epoll_event(events: events, data: epoll_data_t(fd: descriptor))
    return unsafe epoll_ctl(epoll, operation, descriptor, &event) == 0
  }

  private func run(_ tick: @Sendable (UInt64) -> Bool) {
    var lastTick: UInt64 = 0
    while !isStopped.load(ordering: .acquiring) {
      unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventsMax) {
        events in
        let count = unsafe epoll_wait(
          epoll, events.baseAddress, Int32(events.count), tickMilliseconds)
        for index in 0..<Int(max(count, 0)) {
          let descriptor = unsafe events[index].data.fd
          if descriptor == wakeUp.descriptor {
            wakeUp.consume()
          } else {
            connection(for: descriptor)?.socketIsReady()
          }
        }
      }
      let now = Monotonic.now()
      guard now - lastTick >= UInt64(tickMilliseconds) * 1_000_000 else { continue }
      lastTick = now
      for connection in connections.withLock({ $0 }) { connection?.expire(now: now) }
      isHurried.store(false, ordering: .releasing)
      if tick(now) { isHurried.store(true, ordering: .releasing) }
    }
    _ = close(epoll)
    wakeUp.close()
  }

  private var tickMilliseconds: Int32 {
    isHurried.load(ordering: .acquiring) ? 2 : 100
  }

  private func connection(for descriptor: Int32) -> Connection? {
    connections.withLock { connections in
      let index = Int(descriptor)
      return connections.indices.contains(index) ? connections[index] : nil
    }
  }
}
