import Glibc
import NIOCore
import NIOPosix
package import Platform

/// Finds the addresses of a host name, passed in so that tests can answer.
package struct HostResolver: Sendable {
  package let addresses: @Sendable (_ host: String) async throws -> [IPAddress]

  package init(addresses: @escaping @Sendable (_ host: String) async throws -> [IPAddress]) {
    self.addresses = addresses
  }

  /// The machine's resolver, `getaddrinfo(3)`.
  package static func system(timeoutSeconds: Int) -> HostResolver {
    HostResolver { host in
      let loop = MultiThreadedEventLoopGroup.singleton.next()
      let answer = loop.makePromise(of: [IPAddress].self)
      // The call can't be interrupted: whoever waits is told, the thread finds out by itself.
      let deadline = loop.scheduleTask(in: .seconds(Int64(timeoutSeconds))) {
        answer.fail(OutgoingError.timedOut)
      }
      threads.runIfActive(eventLoop: loop) { try lookUp(host) }.cascade(to: answer)
      defer { deadline.cancel() }
      return try await answer.futureResult.get()
    }
  }

  /// Threads that belong to the process, as event loops do.
  ///
  /// Apart from those of others, since a name server that does not answer holds one for seconds; more than one
  /// organization may hold (`OUTGOING_CONCURRENCY_PER_ORGANIZATION`), so that its names keep nobody else's waiting.
  private static let threads = {
    let pool = NIOThreadPool(numberOfThreads: 64)
    pool.start()
    return pool
  }()

  private static func lookUp(_ host: String) throws -> [IPAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0 else { throw OutgoingError.unresolvable }
    defer { freeaddrinfo(list) }
    var addresses: [IPAddress] = []
    var next = list
    while let entry = next?.pointee {
      if let address = entry.ai_addr.flatMap(address) { addresses.append(address) }
      next = entry.ai_next
    }
    return addresses
  }

  private static func address(_ socket: UnsafeMutablePointer<sockaddr>) -> IPAddress? {
    switch Int32(socket.pointee.sa_family) {
    case AF_INET:
      socket.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        IPAddress(v4: UInt32(bigEndian: $0.pointee.sin_addr.s_addr))
      }
    case AF_INET6:
      socket.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
        withUnsafeBytes(of: $0.pointee.sin6_addr) { bytes in
          let number = { (half: Slice<UnsafeRawBufferPointer>) in
            half.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
          }
          return IPAddress(high: number(bytes[..<8]), low: number(bytes[8...]))
        }
      }
    default: nil
    }
  }
}
