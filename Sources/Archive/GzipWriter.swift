import Cryptography

/// Writes one gzip member (RFC 1952) as a stream.
package final class GzipWriter {
  private let sink: ByteSink
  private let deflater: Deflater
  private let hasher = SHA256Hasher()
  private var size = 0
  private var pending: [UInt8] = []
  private var isFinished = false

  package init(sink: @escaping ByteSink) throws {
    self.sink = sink
    deflater = try Deflater(.gzip)
  }

  package nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws {
    try await compress(bytes, finish: false)
    size += bytes.count
    hasher.update(bytes)
  }

  /// Ends the stream; the digest is that of the content, not of the file.
  package nonisolated(nonsending) func finish() async throws -> ArchiveDigest {
    try await compress([], finish: true)
    isFinished = true
    if !pending.isEmpty { try await sink(pending) }
    return ArchiveDigest(size: size, sha256: hasher.finalize())
  }

  private nonisolated(nonsending) func compress(_ bytes: [UInt8], finish: Bool) async throws {
    guard !isFinished else { throw ArchiveError.misuse("the stream has ended") }
    var rest = bytes[...]
    while try deflater.step(&rest, finish: finish, into: &pending) == .more {
      try await flush()
    }
    if pending.count >= Deflater.bufferBytes { try await flush() }
  }

  private nonisolated(nonsending) func flush() async throws {
    guard !pending.isEmpty else { return }
    try await sink(pending)
    pending.removeAll(keepingCapacity: true)
  }
}
