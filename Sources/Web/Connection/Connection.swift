import NIOCore
import Platform
import Synchronization

/// What a request may know of the connection it came over.
final class Connection: Sendable {
  /// The other end, which may be a proxy; nil on a socket without addresses.
  let peer: IPAddress?
  /// When the head of the latest request was read, in nanoseconds of `NIODeadline`.
  private let headReadAt = Atomic<UInt64>(0)

  /// Where the latest public answer came from.
  private let origin = Mutex<AnswerOrigin?>(nil)

  /// Set for the task that serves a connection.
  @TaskLocal static var current: Connection?

  init(peer: IPAddress?) {
    self.peer = peer
  }

  func noteHead(_ now: NIODeadline) {
    headReadAt.store(now.uptimeNanoseconds, ordering: .relaxed)
  }

  func noteAnswer(_ origin: AnswerOrigin) {
    self.origin.withLock { $0 = origin }
  }

  /// What was noted since the last call.
  func takeAnswerOrigin() -> AnswerOrigin? {
    origin.withLock { origin in
      defer { origin = nil }
      return origin
    }
  }

  /// How long the latest request has waited for somebody to look at it.
  func queueTime(_ now: NIODeadline) -> TimeAmount {
    let read = headReadAt.load(ordering: .relaxed)
    return .nanoseconds(Int64(now.uptimeNanoseconds &- min(read, now.uptimeNanoseconds)))
  }
}

extension SocketAddress {
  /// The address as a value; nil for Unix sockets.
  var ip: IPAddress? { ipAddress.flatMap { IPAddress($0.prefix { $0 != "%" }) } }
}

/// Counts the connections of each client address, so that one cannot take them all (our policy).
final class ConnectionCount: Sendable {
  private let perAddressMax: Cap
  private let counts = Mutex<[IPAddress: Int]>([:])

  init(perAddressMax: Cap) {
    self.perAddressMax = perAddressMax
  }

  /// Whether one more is allowed; then ``leave(_:)`` must follow.
  func enter(_ address: IPAddress) -> Bool {
    guard case .at(let most) = perAddressMax else { return true }
    return counts.withLock { counts in
      let count = counts[address.subscriber, default: 0]
      guard count < most else { return false }
      counts[address.subscriber] = count + 1
      return true
    }
  }

  func leave(_ address: IPAddress) {
    guard case .at = perAddressMax else { return }
    counts.withLock { counts in
      let count = counts[address.subscriber, default: 0]
      counts[address.subscriber] = count > 1 ? count - 1 : nil
    }
  }
}
