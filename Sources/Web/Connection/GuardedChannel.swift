import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Platform

/// HTTP/1.1 over one connection, with ``ConnectionHandler`` in the pipeline (RFC 9112).
///
/// Hummingbird's own channel has no place before the parser and no deadline but for silence.
struct GuardedChannel: HTTPChannelHandler {
  struct Value: ServerChildChannelValue {
    let http: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    let connection: Connection
    /// True once the connection is over for us, false when it is gone.
    let overdue: EventLoopFuture<Bool>
    var channel: any Channel { http.channel }
  }

  let responder: Responder
  let limits: ConnectionLimits
  let headerCountMax: Int
  let count: ConnectionCount
  let proxies: TrustedProxies
  let drain: Drain
  let refusals: BareRefusals
  let published: PublishedAnswers

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let peer = channel.remoteAddress?.ip
      // A proxy has the connections of all its clients.
      if let peer, !proxies.trusts(peer) {
        guard count.enter(peer) else {
          channel.close(promise: nil)
          throw TooManyConnections()
        }
        channel.closeFuture.whenComplete { [count] _ in count.leave(peer) }
      }
      var decoder = NIOHTTPDecoderLimitConfiguration()
      decoder.maxHeaderFieldSize = limits.headerBytes
      decoder.maxHeaderListSize = limits.headerBytes
      decoder.maxHeaderFieldCount = headerCountMax
      let connection = Connection(peer: peer)
      let overdue = channel.eventLoop.makePromise(of: Bool.self)
      let handler = ConnectionHandler(
        connection, limits: limits, drain: drain, refusals: refusals, published: published,
        overdue: overdue)
      let pipeline = channel.pipeline.syncOperations
      try pipeline.addHandler(RequestLineGauge(handler))
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false,
        withOutboundHeaderValidation: false, withEncoderConfiguration: .init(),
        withDecoderLimitConfiguration: decoder)
      try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
      try pipeline.addHandler(handler)
      let http = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
        wrappingChannelSynchronously: channel,
        configuration: .init(isOutboundHalfClosureEnabled: true))
      return Value(http: http, connection: connection, overdue: overdue.futureResult)
    }
  }

  func handle(value: Value, logger: Logger) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await Connection.$current.withValue(value.connection) {
          await handleHTTP(asyncChannel: value.http, logger: logger)
        }
      }
      // A request that was answered in its handler's place must not go on working for nobody.
      if (try? await value.overdue.get()) == true { group.cancelAll() }
    }
  }
}

/// The client has as many connections as it may have; this one is closed without a word.
struct TooManyConnections: Error {}
