import CPostgres
import Glibc

/// The monotonic clock, in nanoseconds.
enum Monotonic {
  static func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// Questions about a file descriptor.
enum Descriptor {
  static func isReadable(_ descriptor: Int32) -> Bool {
    poll(descriptor, for: Int16(POLLIN), milliseconds: 0)
  }

  /// Waits for an event (or a hang-up); false when the time is over.
  static func poll(_ descriptor: Int32, for events: Int16, milliseconds: Int32) -> Bool {
    var item = pollfd(fd: descriptor, events: events, revents: 0)
    while true {
      let count = unsafe Glibc.poll(&item, 1, milliseconds)
      if count >= 0 { return count > 0 }
      guard errno == EINTR else { return true }
    }
  }
}

/// A flag another thread can sleep on (`eventfd`).
struct WakeUp: Sendable {
  let descriptor: Int32

  init(blocking: Bool) {
    let flags = Int32(EFD_CLOEXEC) | (blocking ? 0 : Int32(EFD_NONBLOCK))
    descriptor = eventfd(0, flags)
    precondition(descriptor >= 0, "the kernel has no eventfd left for this process")
  }

  func signal() {
    var one: UInt64 = 1
    _ = unsafe write(descriptor, &one, 8)
  }

  func consume() {
    var count: UInt64 = 0
    while unsafe read(descriptor, &count, 8) < 0, errno == EINTR {}
  }

  func close() { _ = Glibc.close(descriptor) }
}

/// A thread of our own: for blocking calls and for waiting on sockets, which must not occupy the pool that runs tasks.
enum DedicatedThread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  static func start(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let body = unsafe Unmanaged.passRetained(Body(run)).toOpaque()
    let status = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument {
          unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        }
        return nil
      }, body)
    precondition(status == 0, "the kernel has no thread left for this process")
    pthread_detach(thread)
  }
}
