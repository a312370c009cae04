import Glibc
package import Platform

/// A file that appears under its name complete or not at all: written to `name.part`, synced, renamed.
///
/// The part is locked while it is written, so that two attempts of one job never mix their bytes: after `kill -9` the lock is gone
/// and the next attempt starts over, while a stalled attempt that lives makes the next one fail with `.fileBusy` and retry later.
/// Not Sendable: one task writes it. Dropped without `commit`, it removes the part.
package final class PartFile {
  private let path: FilePath
  private let partPath: String
  private var descriptor: Int32
  package private(set) var size = 0

  /// Opens `path.part` with mode 0600, creating the directory (0700) if only that is missing.
  package init(path: FilePath) throws {
    self.path = path
    partPath = path.text + ".part"
    descriptor = -1
    if unsafe mkdir(path.directory, 0o700) == 0 {
      try Self.syncDirectory(FilePath(path.directory).directory)
    } else if errno != EEXIST {
      throw Self.failure("mkdir")
    }
    while descriptor < 0 {
      let opened = unsafe open(partPath, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
      guard opened >= 0 else { throw Self.failure("open") }
      descriptor = opened
      guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
        let busy = errno == EWOULDBLOCK
        close()
        throw busy ? ArchiveError.fileBusy : Self.failure("flock")
      }
      // The holder before us may have renamed or removed the file between open and flock.
      if !isStillThere() { close() }
    }
    guard ftruncate(descriptor, 0) == 0 else {
      let error = Self.failure("ftruncate")
      close()
      throw error
    }
  }

  deinit {
    discard()
  }

  package func write(_ bytes: [UInt8]) throws {
    guard descriptor >= 0 else { throw ArchiveError.misuse("the file is closed") }
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw Self.failure("write") }
      rest = rest.dropFirst(written)
      size += written
    }
  }

  /// Syncs, renames and syncs the directory; when this returns the file survives a power cut.
  ///
  /// On a thread of its own: syncing gigabytes takes seconds that the threads of tasks cannot spare.
  package nonisolated(nonsending) func commit() async throws {
    guard descriptor >= 0 else { throw ArchiveError.misuse("the file is closed") }
    let (file, part, target, directory) = (descriptor, partPath, path.text, path.directory)
    try await OwnThread.run {
      guard fsync(file) == 0 else { throw Self.failure("fsync") }
      guard unsafe rename(part, target) == 0 else { throw Self.failure("rename") }
      try Self.syncDirectory(directory)
    }
    close()
  }

  /// Removes the part; harmless after `commit`.
  package func discard() {
    guard descriptor >= 0 else { return }
    // While the lock is held the name can only be ours.
    _ = unsafe unlink(partPath)
    close()
  }

  private func close() {
    _ = Glibc.close(descriptor)
    descriptor = -1
  }

  private func isStillThere() -> Bool {
    var ours = stat()
    var named = stat()
    guard unsafe fstat(descriptor, &ours) == 0, unsafe lstat(partPath, &named) == 0 else {
      return false
    }
    return ours.st_ino == named.st_ino && ours.st_dev == named.st_dev
  }

  private static func syncDirectory(_ directory: String) throws {
    let opened = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { throw failure("open") }
    defer { _ = Glibc.close(opened) }
    guard fsync(opened) == 0 else { throw failure("fsync") }
  }

  private static func failure(_ operation: String) -> ArchiveError {
    .fileFailed(operation: operation, code: errno)
  }
}

extension FilePath {
  /// The directory the path is in.
  fileprivate var directory: String {
    guard let slash = text.lastIndex(of: "/") else { return "." }
    return slash == text.startIndex ? "/" : String(text[..<slash])
  }
}
