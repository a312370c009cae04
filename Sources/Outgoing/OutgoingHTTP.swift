import AsyncHTTPClient
import HTTPTypes
package import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
package import Platform
import Synchronization

/// Requests to addresses that clients, users and other organizations chose: the only way out for those.
///
/// Server-side request forgery ends here: the name is resolved once, every address is checked, and the connection goes to an
/// address that was checked, so that a second look-up can't lead elsewhere.
package struct OutgoingHTTP: Sendable {
  private let settings: OutgoingSettings
  private let resolver: HostResolver
  private let outcomes = Series(valuesMax: 16) { Counter() }
  private let gate: HostGate
  private let logger: Logger

  private static let headBytesMax = 16 * 1024
  private static let addressesMax = 4

  package init(
    settings: OutgoingSettings, resolver: HostResolver, clock: WallClock, logger: Logger
  ) {
    self.settings = settings
    self.resolver = resolver
    self.logger = logger
    gate = HostGate(settings: settings, clock: clock)
  }

  /// Sends it and returns the whole answer, whatever its status.
  ///
  /// - Parameters:
  ///   - request: What to ask.
  ///   - partition: Whose request this is, such as the tenant's id: limits and failures are kept apart by it.
  /// - Returns: the answer, whole.
  /// - Throws: ``OutgoingError``, or `CancellationError`.
  package func send(_ request: OutgoingRequest, partition: String) async throws -> OutgoingResponse
  {
    let key = HostGate.Key(
      partition: partition, host: request.url.host, port: request.url.port)
    do {
      let answer = try await traced("outgoing request") {
        try await gate.pass(key) { [self] in
          try await withDeadline(seconds: settings.timeoutSeconds) { [self] in
            try await deliver(request)
          }
        }
      }
      outcomes["answered"].add()
      return answer
    } catch let error as OutgoingError {
      outcomes[error.label].add()
      if error == .refusedAddress {
        logger.notice(
          "An outgoing request was refused: the host has a private address.",
          metadata: ["host": .string(request.url.host)])
      }
      throw error
    } catch {
      outcomes["cancelled"].add()
      throw error
    }
  }

  /// What the process counts of them.
  package var metrics: [MetricFamily] {
    [
      .counter(
        "tenure_outgoing_requests_total",
        "Requests to addresses chosen by others, by what came of them.", by: "outcome", outcomes)
    ]
  }

  private func deliver(_ request: OutgoingRequest) async throws -> OutgoingResponse {
    let addresses = try await addresses(of: request.url)
    try settings.addresses.check(request.url, addresses)
    var failure = OutgoingError.unreachable
    for address in addresses.prefix(Self.addressesMax) {
      let connection = PinnedConnection(address: address)
      do {
        return try await exchange(request, over: connection)
      } catch let error as OutgoingError {
        throw error
      } catch {
        try Task.checkCancellation()
        failure = Self.failure(of: error)
        // What may have arrived is not sent again.
        if connection.isEstablished { throw failure }
      }
    }
    throw failure
  }

  private func addresses(of url: OutgoingURL) async throws -> [IPAddress] {
    if let literal = IPAddress(url.host) { return [literal] }
    do {
      return try await resolver.addresses(url.host)
    } catch let error as OutgoingError {
      throw error
    } catch {
      throw OutgoingError.unresolvable
    }
  }

  /// One request on one connection of its own: addresses are checked again each time.
  private func exchange(
    _ request: OutgoingRequest, over connection: PinnedConnection
  ) async throws -> OutgoingResponse {
    try await HTTPClient.withHTTPClient(configuration: configuration(for: request, connection)) {
      client in
      let response = try await client.execute(
        wireRequest(request), timeout: .seconds(Int64(settings.timeoutSeconds)))
      var fields = HTTPFields()
      var headBytes = 0
      for (name, value) in response.headers {
        headBytes += name.utf8.count + value.utf8.count + 4
        if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
      }
      guard headBytes <= Self.headBytesMax else { throw OutgoingError.tooLarge }
      do {
        let body = try await response.body.collect(upTo: request.answerBytesMax)
        return OutgoingResponse(
          status: Int(response.status.code), fields: fields, body: Array(body.readableBytesView))
      } catch is NIOTooManyBytesError {
        throw OutgoingError.tooLarge
      }
    }
  }

  private func configuration(
    for request: OutgoingRequest, _ connection: PinnedConnection
  ) -> HTTPClient.Configuration {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.additionalTrustRoots = [.certificates(settings.authorities)]
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(Int64(settings.connectSeconds))), decompression: .disabled)
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.maximumUsesPerConnection = 1
    // The name still goes into SNI, certificate check and Host.
    configuration.dnsOverride = [request.url.host: connection.address.description]
    configuration.http1_1ConnectionDebugInitializer = { connection.admit($0) }
    return configuration
  }

  private func wireRequest(_ request: OutgoingRequest) -> HTTPClientRequest {
    var wire = HTTPClientRequest(url: request.url.text)
    var fields = request.fields
    fields[.userAgent] = "Tenure"
    if case .body(let bytes, let type) = request.content {
      wire.method = .POST
      wire.body = .bytes(ByteBuffer(bytes: bytes))
      fields[.contentType] = type
    }
    wire.headers = HTTPHeaders(fields.map { ($0.name.rawName, $0.value) })
    // W3C Trace Context section 3.2.
    if let trace = TraceContext.current {
      wire.headers.replaceOrAdd(name: "traceparent", value: trace.traceparent)
    }
    return wire
  }

  private static func failure(of error: any Error) -> OutgoingError {
    switch error as? HTTPClientError {
    case .connectTimeout, .tlsHandshakeTimeout, .deadlineExceeded, .readTimeout,
      .getConnectionFromPoolTimeout:
      .timedOut
    default: (error as? ChannelError).map(isTimeout) == true ? .timedOut : .unreachable
    }
  }

  private static func isTimeout(_ error: ChannelError) -> Bool {
    if case .connectTimeout = error { true } else { false }
  }
}

/// A connection that must end at the address that was checked.
private final class PinnedConnection: Sendable {
  let address: IPAddress
  private let established = Mutex(false)

  init(address: IPAddress) {
    self.address = address
  }

  var isEstablished: Bool { established.withLock { $0 } }

  /// Called once the connection is made and before anything is sent.
  func admit(_ channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      guard let peer = channel.remoteAddress?.ipAddress, IPAddress(peer) == address else {
        throw OutgoingError.refusedAddress
      }
      established.withLock { $0 = true }
    }
  }
}

/// Runs `body` for so long at most; it must end soon after its task is cancelled.
private func withDeadline<Answer: Sendable>(
  seconds: Int, _ body: @escaping @Sendable () async throws -> Answer
) async throws -> Answer {
  try await withThrowingTaskGroup(of: Answer.self) { group in
    group.addTask(operation: body)
    group.addTask {
      try await Task.sleep(for: .seconds(seconds))
      throw OutgoingError.timedOut
    }
    defer { group.cancelAll() }
    guard let answer = try await group.next() else { throw CancellationError() }
    return answer
  }
}
