import NIOCore
import NIOHTTP1
import NIOPosix
import Platform
import Synchronization

/// A server of an application on the loopback interface: it keeps what it is sent and answers as told.
final class LoopbackServer: Sendable {
  struct Received: Sendable {
    let method: HTTPMethod
    let uri: String
    let headers: HTTPHeaders
    let body: String
  }

  private let log: Log
  private let channel: any Channel

  var address: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
  var received: [Received] { log.received.withLock { $0 } }

  private init(log: Log, channel: any Channel) {
    self.log = log
    self.channel = channel
  }

  /// What a GET of a path is answered with, from here on.
  func publish(_ document: JSON?, at path: String) {
    log.documents.withLock { documents in
      documents[path] = document.map { Document(type: "application/json", body: $0.text) }
    }
  }

  /// The same with a text.
  func publish(_ body: String, type: String, at path: String) {
    log.documents.withLock { $0[path] = Document(type: type, body: body) }
  }

  private struct Document: Sendable {
    let type: String
    let body: String
  }

  /// Serves for the length of `body`.
  static func run(
    _ answer: @escaping @Sendable (Received, _ count: Int) -> HTTPResponseStatus = { _, _ in .ok },
    _ body: (LoopbackServer) async throws -> Void
  ) async throws {
    let log = Log(answer: answer)
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
          try channel.pipeline.syncOperations.addHandler(Handler(log: log))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    do {
      try await body(LoopbackServer(log: log, channel: channel))
    } catch {
      try? await channel.close()
      throw error
    }
    try await channel.close()
  }

  /// Waits until so many requests have come; a job brings them.
  func received(_ count: Int) async throws -> [Received] {
    for _ in 0..<600 {
      if received.count >= count { return received }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw TestFailure("\(received.count) of \(count) requests came to \(address).")
  }

  private final class Log: Sendable {
    let received = Mutex<[Received]>([])
    let documents = Mutex<[String: Document]>([:])
    let answer: @Sendable (Received, Int) -> HTTPResponseStatus

    init(answer: @escaping @Sendable (Received, Int) -> HTTPResponseStatus) {
      self.answer = answer
    }

    func take(_ request: Received) -> HTTPResponseStatus {
      let count = received.withLock { received in
        received.append(request)
        return received.count
      }
      return answer(request, count)
    }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let log: Log
    private var head: HTTPRequestHead?
    private var body = ""

    init(log: Log) {
      self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): (self.head, body) = (head, "")
      case .body(let buffer): body += String(buffer: buffer)
      case .end:
        guard let head else { return }
        let status = log.take(
          Received(method: head.method, uri: head.uri, headers: head.headers, body: body))
        let document = head.method == .GET ? log.documents.withLock { $0[head.uri] } : nil
        let answer = HTTPResponseHead(
          version: .http1_1, status: status,
          headers: [
            "content-length": "\(document?.body.utf8.count ?? 0)",
            "content-type": document?.type ?? "text/plain", "cache-control": "no-store",
            "connection": "close",
          ])
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        context.write(
          wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: document?.body ?? "")))),
          promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
      }
    }
  }
}
