import NIOCore
import NIOPosix
import Platform

/// One pipelined connection: commands go out as they come, replies answer them in order.
struct RedisConnection: Sendable {
  private let channel: any Channel
  private let handler: NIOLoopBound<RedisChannelHandler>

  /// Connects, signs in and selects the database.
  static func open(
    to address: RedisAddress, on group: any EventLoopGroup, timeoutMilliseconds: Int
  ) async throws -> RedisConnection {
    let timeout = TimeAmount.milliseconds(Int64(timeoutMilliseconds))
    let bootstrap = ClientBootstrap(group: group)
      .connectTimeout(.seconds(2))
      .channelOption(.socketOption(.so_keepalive), value: 1)
    let initialize: @Sendable (any Channel) -> EventLoopFuture<RedisConnection> = { channel in
      channel.eventLoop.makeCompletedFuture {
        let handler = RedisChannelHandler(timeout: timeout)
        try channel.pipeline.syncOperations.addHandler(handler)
        return RedisConnection(
          channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
      }
    }
    let connection =
      switch address.endpoint {
      case .tcp(let host, let port):
        try await bootstrap.connect(host: host, port: port, channelInitializer: initialize)
      case .unix(let path):
        try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: initialize)
      }
    do {
      try await connection.greet(address)
      return connection
    } catch {
      connection.close()
      throw error
    }
  }

  private func greet(_ address: RedisAddress) async throws {
    if let password = address.password {
      let credentials = [address.username, password.reveal()].compactMap { $0 }
      try await require(["AUTH"] + credentials)
    }
    if address.database != 0 { try await require(["SELECT", String(address.database)]) }
    // Also shows a peer that wants a password and got none.
    try await require(["CLIENT", "SETNAME", "tenure"])
  }

  private func require(_ command: [String]) async throws {
    let reply = try await send(command)
    if case .error(let text) = reply { throw RedisError.refused(text) }
  }

  /// Sends a command; an error that Redis replies is a value here.
  func send(_ command: [String]) async throws -> RedisReply {
    let bytes = RedisCommand.encode(command)
    return try await withCheckedThrowingContinuation { continuation in
      channel.eventLoop.execute {
        handler.value.send(bytes, for: continuation)
      }
    }
  }

  func close() {
    channel.close(promise: nil)
  }

  /// Returns when the connection is gone; closes it when the task is cancelled.
  func closed() async {
    await withTaskCancellationHandler {
      _ = try? await channel.closeFuture.get()
    } onCancel: {
      close()
    }
  }
}

/// Pairs replies with commands, on the connection's event loop.
final class RedisChannelHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private struct Waiter {
    let continuation: CheckedContinuation<RedisReply, any Error>
    let deadline: NIODeadline
  }

  /// More than this many commands in flight means that Redis is slower than its callers.
  private static let waitersMax = 10_000

  private let timeout: TimeAmount
  private let reader = RedisReplyReader()
  private var waiters = CircularBuffer<Waiter>()
  private var context: ChannelHandlerContext?
  private var timer: Scheduled<Void>?

  init(timeout: TimeAmount) {
    self.timeout = timeout
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    fail(.disconnected)
  }

  func send(_ bytes: [UInt8], for continuation: CheckedContinuation<RedisReply, any Error>) {
    guard let context else {
      continuation.resume(throwing: RedisError.disconnected)
      return
    }
    guard waiters.count < Self.waitersMax else {
      continuation.resume(throwing: RedisError.overloaded)
      return
    }
    waiters.append(Waiter(continuation: continuation, deadline: .now() + timeout))
    armTimer(context)
    context.writeAndFlush(
      wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    do throws(RedisError) {
      try reader.feed(unwrapInboundIn(data))
      while let reply = try reader.next() {
        // A reply to nothing: the peer is not what we think it is.
        guard let waiter = waiters.popFirst() else { throw .malformedReply }
        waiter.continuation.resume(returning: reply)
      }
    } catch {
      close(context, because: error)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(.disconnected)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    close(context, because: .disconnected)
  }

  /// One timer for the oldest command: all have the same time, so none behind it can be due earlier.
  private func armTimer(_ context: ChannelHandlerContext) {
    guard timer == nil, let oldest = waiters.first else { return }
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: oldest.deadline) {
      self.timerFired()
    }
  }

  private func timerFired() {
    timer = nil
    guard let context, let oldest = waiters.first else { return }
    if oldest.deadline <= .now() {
      // Replies come in order: everything behind the late one would be late, too.
      close(context, because: .timedOut)
    } else {
      armTimer(context)
    }
  }

  private func close(_ context: ChannelHandlerContext, because error: RedisError) {
    fail(error)
    context.close(promise: nil)
  }

  private func fail(_ error: RedisError) {
    timer?.cancel()
    timer = nil
    while let waiter = waiters.popFirst() { waiter.continuation.resume(throwing: error) }
  }
}
