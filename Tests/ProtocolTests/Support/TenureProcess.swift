import Foundation
import Glibc
import Synchronization

/// One process of the built product, or of another program a test needs beside it.
///
/// It ends with the test process, however that ends: a shell holds it, and stops it as soon as the
/// shell's standard input closes.
final class TenureProcess: Sendable {
  let pid: Int32
  let log: URL
  private let shell: Int32
  /// Closed with the test process; never written to.
  private let leash: Int32
  private let status = Mutex<Int32?>(nil)

  static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("tenure").path

  private static let script = """
    log=$1; pid=$2; shift 2
    "$@" >"$log" 2>&1 </dev/null &
    child=$!
    echo $child >"$pid.new"; mv "$pid.new" "$pid"
    exec 3<&0
    (read -r line <&3; kill $child; sleep 10; kill -9 $child) 2>/dev/null &
    leash=$!
    wait $child; status=$?
    kill $leash 2>/dev/null
    exit $status
    """

  convenience init(_ arguments: [String], environment: [String: String], folder: URL) async throws {
    try await self.init(
      program: Self.executable, arguments, environment: environment, folder: folder)
  }

  init(
    program: String, _ arguments: [String], environment: [String: String], folder: URL
  ) async throws {
    let name = UUID().uuidString
    log = folder.appendingPathComponent("\(name).log")
    let pidFile = folder.appendingPathComponent("\(name).pid")
    let words =
      ["/bin/sh", "-c", Self.script, "sh", log.path, pidFile.path, program] + arguments
    let variables = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
    (shell, leash) = try Self.spawn(words, variables.map { "\($0)=\($1)" })
    var found: Int32?
    for _ in 0..<500 where found == nil {
      found = (try? String(contentsOf: pidFile, encoding: .utf8)).flatMap {
        Int32($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
      if found == nil { try await Task.sleep(for: .milliseconds(10)) }
    }
    guard let found else { throw TestFailure("The shell started no process.") }
    pid = found
  }

  deinit { close(leash) }

  var isRunning: Bool { kill(pid, 0) == 0 }

  func printed() -> String {
    (try? String(contentsOf: log, encoding: .utf8)) ?? ""
  }

  /// Sends a signal and waits until the process is gone.
  func end(_ signal: Int32) async throws {
    kill(pid, signal)
    _ = try await wait()
  }

  /// Its exit status, or 128 and the signal; waits for it.
  @discardableResult
  func wait() async throws -> Int32 {
    while true {
      let ended: Int32? = status.withLock { status in
        if status == nil {
          var raw: Int32 = 0
          if waitpid(shell, &raw, WNOHANG) == shell { status = (raw >> 8) & 0xff }
        }
        return status
      }
      if let ended { return ended }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Our own `posix_spawn`: Foundation's `Process` waits for every descendant, daemons included.
  private static func spawn(_ words: [String], _ variables: [String]) throws -> (Int32, Int32) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw TestFailure("There is no pipe left.") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
    // A thread that blocks signals would hand that on, and the program could not be ended.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var argv = words.map { strdup($0) } + [nil]
    var envp = variables.map { strdup($0) } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var child: pid_t = 0
    let failure = Shell.starting.withLock {
      posix_spawn(&child, words[0], &actions, &attributes, &argv, &envp)
    }
    close(ends[0])
    guard failure == 0 else { throw TestFailure("\(words[0]): \(failure)") }
    return (child, ends[1])
  }
}
