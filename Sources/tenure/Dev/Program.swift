import Foundation

/// One run of another program, to its end.
struct Program {
  let path: String
  let arguments: [String]
  /// The account it runs as, where that is not the caller's own.
  var account: String?
  /// Where it runs: a folder its account can enter.
  var folder = "/"

  /// What it printed.
  ///
  /// - Throws: ``ProgramFailure`` where it can't be started or ends with another status than 0.
  @discardableResult
  func run() async throws -> String {
    let process = Process()
    if let account {
      process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
      process.arguments =
        ["--reuid=\(account)", "--regid=\(account)", "--init-groups", path] + arguments
    } else {
      process.executableURL = URL(fileURLWithPath: path)
      process.arguments = arguments
    }
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"]
    let output = Pipe()
    let error = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = error
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    guard status == 0 else {
      let message = error.fileHandleForReading.readDataToEndOfFile()
      throw ProgramFailure(
        program: (path as NSString).lastPathComponent, status: status,
        message: String(decoding: message, as: UTF8.self)
          .trimmingCharacters(in: .whitespacesAndNewlines))
    }
    return printed.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The path of a program on the usual path, or nil where it is not installed.
  static func find(_ name: String) -> String? {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"]
      .map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}

/// A program that did not do what it was started for.
struct ProgramFailure: Error, CustomStringConvertible {
  let program: String
  let status: Int32
  let message: String

  var description: String { "\(program) ended with status \(status): \(message)" }
}
