import Foundation

/// One run of another program.
enum Program {
  /// What it printed on standard output.
  ///
  /// - Throws: ``BenchFailure`` where it ends with another status than 0.
  static func output(
    _ program: String, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (out, problems) = (try ScratchFile(), try ScratchFile())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = out.handle
    process.standardError = problems.handle
    try process.runWithSignals()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw BenchFailure(
        "\(program) ended with \(process.terminationStatus): \(problems.text().suffix(500))")
    }
    return out.text().trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// A program that runs beside the benchmark and ends with it, however that ends.
///
/// A shell holds it, and stops it as soon as the shell's standard input closes.
final class Companion: Sendable {
  private let shell: Process
  private let leash: Pipe
  let log: URL

  private static let script = """
    "$@" </dev/null &
    child=$!
    exec 3<&0
    (read -r line <&3; kill $child) 2>/dev/null &
    leash=$!
    wait $child; status=$?
    kill $leash 2>/dev/null
    exit $status
    """

  init(_ words: [String], environment: [String: String], log: URL) throws {
    let (shell, leash) = (Process(), Pipe())
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = ["-c", Self.script, "sh"] + words
    shell.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
    _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    let descriptor = open(log.path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw BenchFailure("\(log.path) can't be written.") }
    let output = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    shell.standardInput = leash
    shell.standardOutput = output
    shell.standardError = output
    try shell.runWithSignals()
    (self.shell, self.leash, self.log) = (shell, leash, log)
  }

  var isRunning: Bool { shell.isRunning }
  var pid: Int32 { shell.processIdentifier }

  /// Waits until it answers 200, or until it is gone.
  func answers(_ path: String, at port: Int) async throws {
    let start = ContinuousClock.now
    while isRunning, ContinuousClock.now - start < .seconds(10) {
      if let reply = try? await HTTP.send(.get(path), at: port), reply.status == 200 { return }
      try await Task.sleep(for: .milliseconds(2))
    }
    let words = lastWords()
    await end()
    throw BenchFailure("\(path) is not answered at \(port):\n\(words)")
  }

  /// The last words of its log.
  func lastWords() -> String {
    let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    return String(text.suffix(1000))
  }

  /// The latest errors in its log.
  func complaints() -> [String] {
    let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").filter { $0.contains("\"level\":\"error\"") }.suffix(3)
      .map { String($0.prefix(1000)) }
  }

  /// What it logged so far is not needed any more.
  func forgetLog() { truncate(log.path, 0) }

  /// Asks it to end and waits until it has.
  func end() async {
    try? leash.fileHandleForWriting.close()
    for _ in 0..<1000 where shell.isRunning { try? await Task.sleep(for: .milliseconds(10)) }
    if shell.isRunning { kill(shell.processIdentifier, SIGKILL) }
  }
}

extension Process {
  /// Starts it with every signal open.
  ///
  /// A child inherits what its parent's thread blocks, and threads that run tasks block all: `openssl speed` would wait for
  /// its alarm for ever.
  fileprivate func runWithSignals() throws {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try run()
  }
}

/// Time on processors, from the kernel's accounts.
enum ProcessorTime {
  /// Seconds a process and its living descendants have used.
  static func seconds(ofTree root: Int32) -> Double {
    var ticks = 0.0
    var pending = [root]
    while let pid = pending.popLast() {
      ticks += Self.ticks(of: pid)
      pending += children(of: pid)
    }
    return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// The product among the descendants of a process.
  static func product(below root: Int32) -> Int32? {
    var pending = [root]
    while let pid = pending.popLast() {
      let name = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
      if name == "tenure\n" { return pid }
      pending += children(of: pid)
    }
    return nil
  }

  /// Seconds of the programs that ran and ended: load generators.
  static var secondsOfEnded: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    return usage.ru_utime.seconds + usage.ru_stime.seconds
  }

  private static func ticks(of pid: Int32) -> Double {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      // proc(5): the second field is the name in parentheses, which may hold blanks itself.
      let end = text.lastIndex(of: ")")
    else { return 0 }
    let fields = text[end...].split(separator: " ")
    // utime, stime and those of children it has waited for: fields 14 to 17.
    return fields.count > 15 ? fields[12...15].reduce(0) { $0 + (Double($1) ?? 0) } : 0
  }

  private static func children(of pid: Int32) -> [Int32] {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? []
    return tasks.flatMap { task in
      let path = "/proc/\(pid)/task/\(task)/children"
      return ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
        .split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
    }
  }
}

extension timeval {
  fileprivate var seconds: Double { Double(tv_sec) + Double(tv_usec) / 1_000_000 }
}

/// A file for what a program prints: a pipe would block it when nobody reads.
private final class ScratchFile {
  let handle: FileHandle
  private let path: String

  init() throws {
    path = "\(Report.folder)/\(UUID().uuidString).out"
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let handle = FileHandle(forUpdatingAtPath: path)
    else { throw BenchFailure("\(path) can't be written.") }
    self.handle = handle
  }

  func text() -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
