import NIOCore
import NIOPosix
import Platform
import Synchronization

/// Something on a port that answers each piece of input as it is told; nil is silence.
final class Peer: Sendable {
  let connections: TestSignal<Void>
  private let log: Log
  private let channel: any Channel

  init(_ answer: @escaping @Sendable (_ command: String) -> String?) async throws {
    let (log, connections) = (Log(), TestSignal<Void>.armed())
    (self.log, self.connections) = (log, connections)
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          connections.signal()
          try channel.pipeline.syncOperations.addHandler(Handler(log: log, answer: answer))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  var port: Int { channel.localAddress?.port ?? 0 }
  var received: [String] { log.pieces.withLock { $0 } }

  func close() async throws {
    try await channel.close().get()
  }

  private final class Log: Sendable {
    let pieces = Mutex<[String]>([])
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: Log
    private let answer: @Sendable (String) -> String?

    init(log: Log, answer: @escaping @Sendable (String) -> String?) {
      self.log = log
      self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let command = String(buffer: unwrapInboundIn(data))
      log.pieces.withLock { $0.append(command) }
      guard let text = answer(command) else { return }
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }
  }
}
