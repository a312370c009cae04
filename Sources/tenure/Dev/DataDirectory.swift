import Foundation
import Glibc

/// The folder in which `tenure dev` keeps all that it starts and makes (our policy).
///
/// One process at a time works in it: the lock goes with the process, however it ends.
struct DataDirectory {
  let path: String
  /// Where the Postgres cluster and its socket lie: the folder itself, or, where the account that
  /// runs Postgres can't enter it (below `/root`, say), a folder of its own under `/var/tmp`.
  let clusterHome: String
  private let lock: Int32

  private static let format = "1"

  /// Makes the folder where it is missing and takes its lock.
  ///
  /// - Throws: ``StartFailure`` where another process works in it, another version made it, or it
  ///   can't be written.
  static func open(_ path: String, clusterAccount: String?) async throws -> DataDirectory {
    let path = URL(fileURLWithPath: path).standardizedFileURL.path
    let files = FileManager.default
    do {
      try files.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
    } catch {
      throw StartFailure("The data directory \(path) can't be made: \(error.localizedDescription)")
    }
    let lock = Glibc.open("\(path)/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw StartFailure("The data directory \(path) can't be written.") }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw StartFailure("Another 'tenure dev' works in \(path); stop it, or name another --data.")
    }
    try checkFormat(in: path)
    return DataDirectory(
      path: path,
      clusterHome: try await clusterHome(for: path, account: clusterAccount), lock: lock)
  }

  private static func checkFormat(in path: String) throws {
    let file = "\(path)/format"
    guard FileManager.default.fileExists(atPath: file) else {
      try Data("\(format)\n".utf8).write(to: URL(fileURLWithPath: file))
      return
    }
    let found = try String(contentsOfFile: file, encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    guard found == format else {
      throw StartFailure(
        "The data directory \(path) has format \(found) and this tenure works with \(format); "
          + "name another --data, or use the tenure that made it.")
    }
  }

  private static func clusterHome(for path: String, account: String?) async throws -> String {
    guard let account else { return path }
    let reach = Program(path: "/usr/bin/test", arguments: ["-x", path], account: account)
    if (try? await reach.run()) != nil { return path }
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in path.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let home = "/var/tmp/tenure-\(String(digest, radix: 36))"
    try FileManager.default.createDirectory(
      atPath: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
    // Everybody may write to /var/tmp: a folder that somebody else made there is not ours to use.
    var entry = stat()
    guard lstat(home, &entry) == 0, entry.st_mode & S_IFMT == S_IFDIR, entry.st_uid == getuid()
    else { throw StartFailure("\(home) belongs to somebody else; name another --data.") }
    return home
  }

  /// The bytes of a file in the folder, or nil where there is none.
  func read(_ name: String) throws -> [UInt8]? {
    guard FileManager.default.fileExists(atPath: "\(path)/\(name)") else { return nil }
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
  }

  /// Writes a file that only its owner reads; a crash leaves the old one or the new one.
  func write(_ name: String, _ bytes: [UInt8]) throws {
    let temporary = "\(path)/.\(name).new"
    unlink(temporary)
    let file = Glibc.open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StartFailure("\(path)/\(name) can't be written.") }
    let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    try handle.write(contentsOf: Data(bytes))
    try handle.synchronize()
    try handle.close()
    guard rename(temporary, "\(path)/\(name)") == 0 else {
      throw StartFailure("\(path)/\(name) can't be written.")
    }
  }
}

/// Why the product does not start, in one sentence for the person at the terminal.
struct StartFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
