import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A server on loopback that answers each piece of input with the text it is told to; nil is silence.
final class Receiver: Sendable {
  typealias Answer = @Sendable (_ request: String) -> String?

  private let log: Log
  private let channel: any Channel

  var port: Int { channel.localAddress?.port ?? 0 }
  var requests: [String] { log.requests.withLock { $0 } }
  var connections: Int { log.connections.withLock { $0 } }

  private init(log: Log, channel: any Channel) {
    self.log = log
    self.channel = channel
  }

  /// Runs a receiver for the length of `body`.
  static func run(
    tls: NIOSSLContext? = nil, answer: @escaping Answer,
    _ body: (Receiver) async throws -> Void
  ) async throws {
    let log = Log()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          log.connections.withLock { $0 += 1 }
          if let tls {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
          }
          try channel.pipeline.syncOperations.addHandler(Handler(log: log, answer: answer))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    do {
      try await body(Receiver(log: log, channel: channel))
    } catch {
      try? await channel.close()
      throw error
    }
    try await channel.close()
  }

  /// A complete answer with a length.
  static func http(
    _ body: String, status: String = "200 OK", type: String = "application/json",
    fields: String = ""
  ) -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private final class Log: Sendable {
    let requests = Mutex<[String]>([])
    let connections = Mutex(0)
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: Log
    private let answer: Answer

    init(log: Log, answer: @escaping Answer) {
      self.log = log
      self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let request = String(buffer: unwrapInboundIn(data))
      log.requests.withLock { $0.append(request) }
      guard let text = answer(request) else { return }
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }
  }
}
