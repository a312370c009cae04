import Foundation
import Glibc
import Synchronization

/// One process of the built product.
///
/// It ends with the test process, however that ends: a shell holds it, and stops it as soon as the
/// shell's standard input closes.
final class TenureProcess: Sendable {
  let pid: Int32
  let log: URL
  private let shell: Mutex<Process>
  private let leash: Pipe

  static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("tenure").path

  init(_ arguments: [String], environment: [String: String], folder: URL) throws {
    let name = UUID().uuidString
    log = folder.appendingPathComponent("\(name).log")
    let pidFile = folder.appendingPathComponent("\(name).pid")
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments =
      [
        "-c",
        "log=$1; pid=$2; shift 2; \"$@\" >\"$log\" 2>&1 </dev/null & echo $! >\"$pid.new\"; "
          + "mv \"$pid.new\" \"$pid\"; (cat >/dev/null; kill $!) & wait %1; kill %2 2>/dev/null",
        "sh", log.path, pidFile.path, Self.executable,
      ] + arguments
    shell.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
    leash = Pipe()
    shell.standardInput = leash
    try shell.run()
    var pid: Int32?
    for _ in 0..<500 where pid == nil {
      pid = (try? String(contentsOf: pidFile, encoding: .utf8)).flatMap {
        Int32($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
      if pid == nil { usleep(10_000) }
    }
    guard let pid else { throw TestFailure("The shell started no process.") }
    self.pid = pid
    self.shell = Mutex(shell)
  }

  var isRunning: Bool { kill(pid, 0) == 0 }

  func printed() -> String {
    (try? String(contentsOf: log, encoding: .utf8)) ?? ""
  }

  /// Sends a signal and waits until the process is gone.
  func end(_ signal: Int32) {
    kill(pid, signal)
    shell.withLock { $0.waitUntilExit() }
  }

  /// Its exit status; waits for it.
  func wait() -> Int32 {
    shell.withLock {
      $0.waitUntilExit()
      return $0.terminationStatus
    }
  }
}
