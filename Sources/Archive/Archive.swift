/// Archive: ZIP and gzip written as a stream, on zlib.
///
/// - ``ZIPWriter``: entries of any size, one after the other (PKWARE APPNOTE 6.3.10).
/// - ``GzipWriter``: one compressed stream (RFC 1952).
/// - ``PartFile``: a file that appears complete or not at all.
///
/// There is no assembly: writers are values of the job that uses them. Nothing here reads archives.
package enum ArchiveError: Error, Hashable, Sendable {
  /// The name of an entry would surprise somebody who extracts it; the text says why.
  case invalidName(reason: String)
  /// Two entries would become one file, on a file system that ignores case at the latest.
  case duplicateName
  /// A method was called out of turn, such as `write` before `beginEntry`.
  case misuse(String)
  case compressionFailed(code: Int32)
  /// Another writer holds the file; it lives, or died less than a moment ago.
  case fileBusy
  case fileFailed(operation: String, code: Int32)
}

/// What was written: its length before compression and the SHA-256 of that.
package struct ArchiveDigest: Hashable, Sendable {
  package let size: Int
  package let sha256: [UInt8]

  package init(size: Int, sha256: [UInt8]) {
    self.size = size
    self.sha256 = sha256
  }
}

/// Where an archive's bytes go, in order; it returns when it is ready for more.
package typealias ByteSink = nonisolated(nonsending) (_ bytes: [UInt8]) async throws -> Void
