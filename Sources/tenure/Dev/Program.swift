import Foundation
import Glibc

/// One run of another program, to its end.
///
/// Our own `posix_spawn`: Foundation's `Process` waits until every descendant is gone, so it never
/// sees the end of a program that leaves a daemon behind.
struct Program {
  let path: String
  let arguments: [String]
  /// The account it runs as, where that is not the caller's own.
  var account: String?
  /// Where it runs: a folder its account can enter.
  var folder = "/"

  private static let environment = ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C.UTF-8"]

  /// What it printed.
  ///
  /// - Throws: ``ProgramFailure`` where it can't be started or ends with another status than 0.
  @discardableResult
  func run() async throws -> String {
    let output = try TemporaryFile()
    let child = try spawn(writingTo: output)
    var status: Int32 = 0
    while waitpid(child, &status, WNOHANG) == 0 { try await Task.sleep(for: .milliseconds(5)) }
    let printed = output.contents().trimmingCharacters(in: .whitespacesAndNewlines)
    // wait(2): the low seven bits are the signal that ended it.
    guard status == 0 else {
      throw ProgramFailure(
        program: name, status: status & 0x7f == 0 ? status >> 8 : status & 0x7f, message: printed)
    }
    return printed
  }

  private var name: String { (path as NSString).lastPathComponent }

  private func spawn(writingTo output: borrowing TemporaryFile) throws -> pid_t {
    var words = ["/usr/bin/env", "--chdir=\(folder)"]
    if let account {
      words += ["/usr/bin/setpriv", "--reuid=\(account)", "--regid=\(account)", "--init-groups"]
    }
    words += [path] + arguments
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output.descriptor, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output.descriptor, STDERR_FILENO)
    var argv = words.map { strdup($0) } + [nil]
    var envp = Self.environment.map { strdup($0) } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var child: pid_t = 0
    let failure = posix_spawn(&child, words[0], &actions, nil, &argv, &envp)
    guard failure == 0 else {
      throw ProgramFailure(
        program: name, status: failure, message: String(cString: strerror(failure)))
    }
    return child
  }

  /// The path of a program on the usual path, or nil where it is not installed.
  static func find(_ name: String) -> String? {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"]
      .map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }
}

/// A file without a name, for what a program prints.
private struct TemporaryFile: ~Copyable {
  let descriptor: Int32

  init() throws {
    var name = Array("/tmp/tenure-XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw StartFailure("/tmp can't be written.") }
    unlink(name)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  func contents() -> String {
    lseek(descriptor, 0, SEEK_SET)
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
    return String(decoding: handle.readDataToEndOfFile(), as: UTF8.self)
  }

  deinit { close(descriptor) }
}

/// A program that did not do what it was started for.
struct ProgramFailure: Error, CustomStringConvertible {
  let program: String
  let status: Int32
  let message: String

  var description: String { "\(program) ended with status \(status): \(message)" }
}
