import ArgumentParser
import ControlPlane
import Database
import Foundation
import Glibc
import Platform
import Tenancy
import Web

/// `tenure dev`: a whole Tenure in one process, with a private Postgres and Redis and a demo organization (design section 1).
struct DevCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dev",
    abstract: "Start everything on this machine, with a demo organization, to try and to develop.")

  @Option(help: "Where it keeps what it starts and makes.")
  var data = ".tenure"

  @Option(help: "The port it serves on.")
  var port = 8080

  func run() async throws {
    guard (1...65535).contains(port) else { throw StartFailure("\(port) is not a port.") }
    try Port.requireFree(port)
    let directory = try await DataDirectory.open(data, clusterAccount: PrivatePostgres.account)
    let postgres = try PrivatePostgres(in: directory)
    let redis = PrivateRedis(in: directory)
    Output.line("Starting Postgres\(redis == nil ? "" : " and Redis") in \(directory.path) …")
    do {
      try await postgres.start()
      try await redis?.start()
      try await serve(directory, postgres, redis)
    } catch {
      await stop(postgres, redis)
      throw error
    }
    await stop(postgres, redis)
    Output.line("Stopped; the data is in \(directory.path).")
  }

  private func serve(
    _ directory: DataDirectory, _ postgres: PrivatePostgres, _ redis: PrivateRedis?
  ) async throws {
    let environment = try environment(directory, postgres, redis)
    let product = try Product.load(overriding: environment)
    try await product.migrate()
    try await product.requireUsableDatabase()
    _ = try await product.controlPlane.rollouts.start(failurePercentMax: 0)
    let demo = try await Demo.prepare(product, in: directory)
    try directory.write("serve.env", Self.shellLines(environment))
    try await product.serve(Set(Role.allCases)) { internalURL in
      let document = Demo.publish(demo, internalURL: internalURL, in: directory)
      DevSummary(document: document, folder: directory.path, data: data).show()
    }
  }

  private func stop(_ postgres: PrivatePostgres, _ redis: PrivateRedis?) async {
    await redis?.stop()
    await postgres.stop()
  }

  /// What `tenure serve` would read from its environment; the caller's own settings win where they
  /// are not about what was started here.
  private func environment(
    _ directory: DataDirectory, _ postgres: PrivatePostgres, _ redis: PrivateRedis?
  ) throws -> [String: String] {
    var environment = [
      "TENURE_DATABASE_URL": postgres.url,
      "TENURE_MASTER_KEY": try masterKey(in: directory),
      "TENURE_BASE_URL": "http://localhost:\(port)",
      "TENURE_HTTP_PORT": "\(port)",
      "TENURE_ARCHIVE_DIRECTORY": "\(directory.path)/archive",
      "TENURE_AUDIT_SPILL_DIRECTORY": "\(directory.path)/audit-spill",
    ]
    // Nobody but the developer waits for it.
    if ProcessInfo.processInfo.environment["TENURE_SHUTDOWN_DELAY_SECONDS"] == nil {
      environment["TENURE_SHUTDOWN_DELAY_SECONDS"] = "0"
    }
    if let redis { environment["TENURE_REDIS_URL"] = redis.url }
    // Applications under development are on this machine, too. Two of these side by side do not get in
    // each other's way; dev.json says which port the internal listener has.
    let own = [
      "TENURE_LOG_FORMAT": "readable", "TENURE_INTERNAL_PORT": "0",
      "TENURE_OUTGOING_ALLOWED_DESTINATIONS": "localhost,127.0.0.0/8,::1",
    ]
    for (name, value) in own where ProcessInfo.processInfo.environment[name] == nil {
      environment[name] = value
    }
    return environment
  }

  private func masterKey(in directory: DataDirectory) throws -> String {
    if let bytes = try directory.read("master.key") {
      return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let key = MasterKey.generateText().reveal()
    try directory.write("master.key", Array("\(key)\n".utf8))
    return key
  }

  /// For a second process beside this one: `set -a; . .tenure/serve.env; tenure serve --roles worker`.
  private static func shellLines(_ environment: [String: String]) -> [UInt8] {
    let lines = environment.sorted { $0.key < $1.key }.map { name, value in
      "\(name)='\(value.replacing("'", with: "'\\''"))'\n"
    }
    return Array(lines.joined().utf8)
  }
}

/// A TCP port of this machine's loopback address.
enum Port {
  /// Finds out before anything is started.
  ///
  /// - Throws: ``StartFailure`` where somebody else listens on it.
  static func requireFree(_ port: Int) throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { throw StartFailure("This machine gives no socket.") }
    defer { close(socket) }
    // As the server will: a port that a closed connection still lingers on is free.
    var reuse: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard bound == 0 else {
      throw StartFailure(
        errno == EACCES
          ? "Port \(port) needs privileges: choose one above 1023 with --port."
          : "Port \(port) is taken: stop what listens on it, or choose another one with --port.")
    }
  }
}
