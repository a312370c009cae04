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
    let handle: LockedFile
    fileprivate let path: String

    func remove() throws {
      guard unlink(path) == 0 else { throw AuditError.spillFailed("unlink: \(errno)") }
    }
  }

  private let directory: FilePath
  private let clock: WallClock
  private let random: RandomSource
  private let current = Mutex<Current?>(nil)

  private struct Current {
    let handle: LockedFile
    let path: String
  }

  private static let suffix = ".ndjson"

  init(directory: FilePath, clock: WallClock, random: RandomSource) {
    self.directory = directory
    self.clock = clock
    self.random = random
  }

  /// Whether this process has spilled something that is not written yet.
  var isUsed: Bool { current.withLock { $0 != nil } }

  /// Returns when the events are on the disk.
  func append(_ records: [AuditRecord], schema: TenantSchema) throws {
    var lines: [UInt8] = []
    for record in records {
      lines += record.line(schema: schema).encoded()
      lines.append(UInt8(ascii: "\n"))
    }
    try current.withLock { current in
      let file = try current ?? open()
      current = file
      try file.handle.write(lines)
    }
  }

  /// The events of one file nobody writes any more, our own included; nil when there is none.
  func takeFile() throws -> File? {
    // Closing lets go of the lock; the next event starts another file.
    current.withLock { $0 = nil }
    guard FileManager.default.fileExists(atPath: directory.text) else { return nil }
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.text)
    for name in names.sorted() where name.hasSuffix(Self.suffix) {
      let path = directory.appending(name).text
      guard let handle = try? LockedFile(path: path, flags: O_RDWR), handle.lock(),
        let bytes = FileManager.default.contents(atPath: path)
      else { continue }
      return File(entries: Self.entries(Array(bytes)), handle: handle, path: path)
    }
    return nil
  }

  private func open() throws -> Current {
    try FileManager.default.createDirectory(
      atPath: directory.text, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    let name = ID<AuditSpill>.generate(clock, random).description + Self.suffix
    let path = directory.appending(name).text
    let handle = try LockedFile(path: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
    guard handle.lock() else { throw AuditError.spillFailed("flock: \(errno)") }
    try LockedFile(path: directory.text, flags: O_RDONLY | O_DIRECTORY).sync()
    return Current(handle: handle, path: path)
  }

  /// A crash may have torn the last line; what can't be read was never acknowledged.
  private static func entries(_ bytes: [UInt8]) -> [Entry] {
    bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      (try? JSON.parse(Array(line), limits: .request))?.objectValue.flatMap(Entry.init)
    }
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
  fileprivate func line(schema: TenantSchema) -> JSON {
    [
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
