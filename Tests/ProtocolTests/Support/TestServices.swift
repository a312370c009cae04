import Foundation

/// The Postgres and the Redis that the test script started.
enum TestServices {
  static func databaseURL() throws -> String { try variable("TENURE_TEST_DATABASE_URL") }
  static func redisURL() throws -> String { try variable("TENURE_TEST_REDIS_URL") }

  private static func variable(_ name: String) throws -> String {
    guard let value = ProcessInfo.processInfo.environment[name] else {
      throw TestFailure("\(name) is not set: run the suite with 'make test'.")
    }
    return value
  }

  /// An empty database of its own on that Postgres; its address.
  static func freshDatabase() throws -> String {
    let name = "tenure_protocol_\(UUID().uuidString.prefix(8).lowercased())"
    let url = try databaseURL()
    try psql("create database \(name)", at: url)
    guard var parts = URLComponents(string: url) else { throw TestFailure("\(url) is no address.") }
    parts.path = "/\(name)"
    guard let fresh = parts.string else { throw TestFailure("\(url) is no address.") }
    return fresh
  }

  @discardableResult
  static func psql(_ statement: String, at url: String) throws -> String {
    try Shell.run("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, url])
  }
}

/// One run of another program.
enum Shell {
  /// Held while a program is started: one started in the same moment would inherit the socket whose end tells Foundation that
  /// this one has ended, and keep it open for as long as it runs.
  static let starting = NSLock()

  @discardableResult
  static func run(_ program: String, _ arguments: [String], input: [UInt8] = []) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    _ = FileManager.default.createFile(atPath: file.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: file) }
    let output = try FileHandle(forWritingTo: file)
    process.standardOutput = output
    process.standardError = output
    let pipe = Pipe()
    process.standardInput = pipe
    _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
    try starting.withLock { try process.run() }
    // Less than a pipe holds, so that this waits for nobody.
    try pipe.fileHandleForWriting.write(contentsOf: Data(input))
    try pipe.fileHandleForWriting.close()
    process.waitUntilExit()
    let printed = try String(decoding: Data(contentsOf: file), as: UTF8.self)
    guard process.terminationStatus == 0 else {
      throw TestFailure("\(program) ended with \(process.terminationStatus): \(printed)")
    }
    return printed
  }
}

struct TestFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
