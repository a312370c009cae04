package import FoundationEssentials
import Cryptography

/// Writes a ZIP archive as a stream (PKWARE APPNOTE 6.3.10): deflate, data descriptors, ZIP64 where a number needs it.
///
/// A `Transaction`-like capability: not Sendable, used by one task. Any error leaves the archive unusable; drop it and its file.
package final class ZIPWriter {
  private struct OpenEntry {
    var record: ZIPEntryRecord
    let hasher: SHA256Hasher
  }

  private let sink: ByteSink
  private let deflater: Deflater
  private var entry: OpenEntry?
  private var names: Set<String> = []
  private var directory: [UInt8] = []
  private var entryCount: UInt64 = 0
  /// Bytes handed out so far, `pending` included: the position of the next record.
  private var offset: UInt64 = 0
  private var pending: [UInt8] = []
  private var isFinished = false

  package init(sink: @escaping ByteSink) throws {
    self.sink = sink
    deflater = try Deflater(.raw)
  }

  /// Starts an entry; see ``ZIPEntryName`` for the names that are refused.
  package nonisolated(nonsending) func beginEntry(_ name: String, modified: Date) async throws {
    guard entry == nil, !isFinished else { throw ArchiveError.misuse("an entry is open") }
    let name = try ZIPEntryName(name)
    guard names.insert(name.collisionKey).inserted else { throw ArchiveError.duplicateName }
    let record = ZIPEntryRecord(name: name.bytes, modified: ZIPTimestamp(modified), offset: offset)
    entry = OpenEntry(record: record, hasher: SHA256Hasher())
    try deflater.reset()
    try await append(record.localHeader)
  }

  /// Adds content to the open entry.
  package nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws {
    guard var open = entry else { throw ArchiveError.misuse("no entry is open") }
    open.hasher.update(bytes)
    open.record.checksum = Deflater.checksum(bytes, continuing: open.record.checksum)
    open.record.size += UInt64(bytes.count)
    open.record.compressedSize += try await compress(bytes, finish: false)
    entry = open
  }

  /// Closes the open entry.
  package nonisolated(nonsending) func endEntry() async throws -> ArchiveDigest {
    guard var open = entry else { throw ArchiveError.misuse("no entry is open") }
    open.record.compressedSize += try await compress([], finish: true)
    entry = nil
    entryCount += 1
    directory += open.record.centralHeader
    try await append(open.record.dataDescriptor)
    return ArchiveDigest(size: Int(open.record.size), sha256: open.hasher.finalize())
  }

  /// Writes the directory; the archive is complete when this returns.
  package nonisolated(nonsending) func finish() async throws {
    guard entry == nil, !isFinished else { throw ArchiveError.misuse("an entry is open") }
    isFinished = true
    let end = ZIPEndRecord(
      entryCount: entryCount, directorySize: UInt64(directory.count), directoryOffset: offset)
    try await append(directory)
    try await append(end.bytes)
    try await flush()
  }

  /// Returns the number of compressed bytes.
  private nonisolated(nonsending) func compress(
    _ bytes: [UInt8], finish: Bool
  ) async throws -> UInt64 {
    let start = offset
    var rest = bytes[...]
    var progress = Deflater.Progress.more
    while case .more = progress {
      let before = pending.count
      progress = try deflater.step(&rest, finish: finish, into: &pending)
      offset += UInt64(pending.count - before)
      if pending.count >= Deflater.bufferBytes { try await flush() }
    }
    return offset - start
  }

  private nonisolated(nonsending) func append(_ bytes: [UInt8]) async throws {
    pending += bytes
    offset += UInt64(bytes.count)
    if pending.count >= Deflater.bufferBytes { try await flush() }
  }

  private nonisolated(nonsending) func flush() async throws {
    guard !pending.isEmpty else { return }
    try await sink(pending)
    pending.removeAll(keepingCapacity: true)
  }
}
