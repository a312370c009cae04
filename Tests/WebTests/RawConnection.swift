import NIOCore
import NIOPosix

/// Bytes sent as they are, for requests no proper client makes.
enum RawConnection {
  /// Everything the server sends until it closes the connection.
  static func exchange(port: Int, _ text: String) async throws -> String {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(string: text))
      var reply = ""
      do {
        for try await part in inbound { reply += String(buffer: part) }
      } catch {
        // A reset after the answer is the server's right.
      }
      return reply
    }
  }
}
