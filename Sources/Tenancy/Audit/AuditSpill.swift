import Database
import FoundationEssentials
import Glibc
import Platform
import Synchronization

/// The local append-only file authentication events go to while Postgres is away (design section 6).
///
/// One file per process, locked while it is written, so that a process that starts can tell the files
/// of the living from those of the dead. Personal parts are sealed before they get here.
final class AuditSpill: Sendable {
  struct Entry: Sendable {
    let schema: TenantSchema
    let record: AuditRecord
  }

  /// A finished file: its events, and the way to get rid of it.
  struct File: Sendable {
    let entries: [Entry]
    /// Whole lines that say nothing we understand.
    let unreadable: [[UInt8]]
    let handle: LockedFile
    let name: String
    fileprivate let directory: FilePath

    private var path: String { directory.appending(name).text }

    /// Keeps events that can't be written in a file beside this one, for a person to look at; where.
    func setAside(_ refused: [Entry]) throws -> String {
      let path = path.dropLast(AuditSpill.suffix.count) + ".refused"
      let aside = try LockedFile(path: String(path), flags: O_WRONLY | O_CREAT | O_TRUNC)
      try aside.write(
        refused.flatMap { $0.record.line(schema: $0.schema) }
          + unreadable.flatMap { $0 + [lineEnd] })
      try LockedFile(path: directory.text, flags: O_RDONLY | O_DIRECTORY).sync()
      return String(path)
    }

    func remove() throws {
      guard unlink(path) == 0 else { throw AuditError.spillFailed("unlink: \(errno)") }
    }
  }

  private let directory: FilePath
  private let clock: WallClock
  private let random: RandomSource
  private let write: @Sendable (LockedFile, [UInt8]) throws -> Void
  private let state = Mutex(State())

  private struct State {
    var current: LockedFile?
    var isUsed = false
  }

  private static let suffix = ".ndjson"

  init(
    directory: FilePath, clock: WallClock, random: RandomSource,
    write: @escaping @Sendable (LockedFile, [UInt8]) throws -> Void = { try $0.write($1) }
  ) {
    self.directory = directory
    self.clock = clock
    self.random = random
    self.write = write
  }

  /// Whether this process has spilled something since the last look at the files.
  var isUsed: Bool { state.withLock { $0.isUsed } }

  /// Returns when the events are on the disk.
  func append(_ entries: [Entry]) throws {
    let lines = entries.flatMap { $0.record.line(schema: $0.schema) }
    try state.withLock { state in
      let file = try state.current ?? open()
      // A file that took a part only is not written any further: the next line would continue the
      // torn one. It stays in use, for the events before.
      state.current = nil
      state.isUsed = true
      try write(file, lines)
      state.current = file
    }
  }

  /// The events of the first file nobody writes any more, our own included, of those that come
  /// after a name; nil when there is none.
  func takeFile(after last: String = "") throws -> File? {
    // Closing lets go of the lock; the next event starts another file.
    state.withLock { $0 = State() }
    guard FileManager.default.fileExists(atPath: directory.text) else { return nil }
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.text)
    for name in names.sorted() where name > last && name.hasSuffix(Self.suffix) {
      let path = directory.appending(name).text
      guard let handle = try? LockedFile(path: path, flags: O_RDWR), handle.lock(),
        let bytes = FileManager.default.contents(atPath: path)
      else { continue }
      return File(Array(bytes), handle: handle, name: name, directory: directory)
    }
    return nil
  }

  private func open() throws -> LockedFile {
    try FileManager.default.createDirectory(
      atPath: directory.text, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    let name = ID<AuditSpill>.generate(clock, random).description + Self.suffix
    let path = directory.appending(name).text
    let handle = try LockedFile(path: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
    guard handle.lock() else { throw AuditError.spillFailed("flock: \(errno)") }
    try LockedFile(path: directory.text, flags: O_RDONLY | O_DIRECTORY).sync()
    return handle
  }
}

/// A file descriptor with an owner.
final class LockedFile: Sendable {
  private let descriptor: Int32

  init(path: String, flags: Int32) throws {
    descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw AuditError.spillFailed("open: \(errno)") }
  }

  deinit {
    _ = close(descriptor)
  }

  /// The lock ends with the descriptor, also when the process dies.
  func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  func write(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw AuditError.spillFailed("write: \(errno)") }
      rest = rest.dropFirst(count)
    }
    try sync()
  }

  func sync() throws {
    guard fsync(descriptor) == 0 else { throw AuditError.spillFailed("fsync: \(errno)") }
  }
}

extension AuditRecord {
  fileprivate func line(schema: TenantSchema) -> [UInt8] {
    let line: JSON = [
      "tenant": .string(schema.name),
      "id": .string(id.description),
      "occurred_at": .string(occurredAt.rfc3339),
      "action": .string(action),
      "outcome": .string(outcome),
      "actor_kind": .string(actorKind),
      "actor_id": actorID.map(JSON.string) ?? .null,
      "subject_id": subject.map { .string($0.description) } ?? .null,
      "request_id": requestID.map(JSON.string) ?? .null,
      "detail": .object(detail),
      "personal": personal.map { .string(Base64URL.encode($0)) } ?? .null,
      "commitment": .string(Base64URL.encode(commitment)),
      "commitment_key": .string(Base64URL.encode(commitmentKey)),
    ]
    return line.encoded() + [lineEnd]
  }
}

private let lineEnd = UInt8(ascii: "\n")

extension AuditSpill.File {
  /// What a crash or a full disk has torn is the end of a file, and was never acknowledged.
  fileprivate init(_ bytes: [UInt8], handle: LockedFile, name: String, directory: FilePath) {
    var entries: [AuditSpill.Entry] = []
    var unreadable: [[UInt8]] = []
    let whole = bytes.prefix((bytes.lastIndex(of: lineEnd) ?? -1) + 1)
    for line in whole.split(separator: lineEnd) {
      let document = try? JSON.parse(Array(line), limits: .request)
      if let entry = document?.objectValue.flatMap(AuditSpill.Entry.init) {
        entries.append(entry)
      } else {
        unreadable.append(Array(line))
      }
    }
    self.init(
      entries: entries, unreadable: unreadable, handle: handle, name: name, directory: directory)
  }
}

extension AuditSpill.Entry {
  fileprivate init?(_ line: JSONObject) {
    func text(_ name: String) -> String? { line[name]?.stringValue }
    func bytes(_ name: String) -> [UInt8]? { text(name).flatMap(Base64URL.decode) }
    guard let schema = text("tenant").flatMap(TenantSchema.init),
      let id = text("id").flatMap(ID<AuditEvent>.init),
      let occurredAt = text("occurred_at").flatMap(Date.init(rfc3339:)),
      let action = text("action"), let outcome = text("outcome"),
      let actorKind = text("actor_kind"), let detail = line["detail"]?.objectValue,
      let commitment = bytes("commitment"), let commitmentKey = bytes("commitment_key")
    else { return nil }
    self.schema = schema
    record = AuditRecord(
      id: id, occurredAt: occurredAt, action: action, outcome: outcome, actorKind: actorKind,
      actorID: text("actor_id"), subject: text("subject_id").flatMap(UserID.init),
      requestID: text("request_id"), detail: detail, personal: bytes("personal"),
      commitment: commitment, commitmentKey: commitmentKey)
  }
}
