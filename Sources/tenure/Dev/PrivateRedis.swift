import Foundation

/// The Redis of one data directory, on a socket in it; nothing in it outlives it.
struct PrivateRedis {
  private let server: String
  private let client: String
  private let folder: String

  private var socket: String { "\(folder)/redis.sock" }

  /// Nil where Redis is not installed: one process then keeps the same state in memory.
  init?(in directory: DataDirectory) {
    guard let server = Program.find("redis-server"), let client = Program.find("redis-cli") else {
      return nil
    }
    self.server = server
    self.client = client
    folder = "\(directory.clusterHome)/redis"
  }

  /// The address for the product.
  var url: String { "redis+unix://\(socket)" }

  /// Starts it, or takes over the one that a killed process left.
  func start() async throws {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    if (try? await ping()) == "PONG" { return }
    try? FileManager.default.removeItem(atPath: socket)
    try await Program(
      path: server,
      arguments: [
        "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", folder,
        "--save", "", "--appendonly", "no", "--daemonize", "yes",
        "--logfile", "\(folder)/redis.log", "--pidfile", "\(folder)/redis.pid",
      ]
    ).run()
    for _ in 0..<100 {
      if (try? await ping()) == "PONG" { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw StartFailure("Redis does not start; its log is \(folder)/redis.log.")
  }

  /// Stops it.
  func stop() async {
    _ = try? await Program(path: client, arguments: ["-s", socket, "shutdown", "nosave"]).run()
  }

  private func ping() async throws -> String {
    try await Program(path: client, arguments: ["-s", socket, "ping"]).run()
  }
}
