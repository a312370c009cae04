import Glibc
import Synchronization

/// A descriptor that many threads write lines to, without a queue that a crash would lose.
///
/// Whoever finds it free writes, and takes along what others add meanwhile; those go on at once. So a line is on its way
/// when `write` returns, and under load one system call carries several.
final class SharedOutput: Sendable {
  private let descriptor: Int32
  private let waiting = Mutex<[UInt8]>([])
  private let turn = Mutex(())

  /// What one `write(2)` carries to a pipe whole, so that lines of several processes do not mix (pipe(7)).
  private static let chunkBytesMax = 4096
  /// With more than this in the queue callers wait for the reader, too.
  private static let waitingBytesMax = 1024 * 1024

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
  }

  func write(_ line: [UInt8]) {
    let isFull = waiting.withLock { waiting in
      waiting += line
      return waiting.count > Self.waitingBytesMax
    }
    if isFull {
      turn.withLock { _ in drain() }
    }
    // Again after letting go: somebody may have added a line and found the turn taken.
    while waiting.withLock({ !$0.isEmpty }) {
      let hadTurn: Void? = turn.withLockIfAvailable { _ in drain() }
      guard hadTurn != nil else { return }
    }
  }

  private func drain() {
    while true {
      let lines = waiting.withLock { waiting in
        defer { waiting = [] }
        return waiting
      }
      if lines.isEmpty { return }
      var rest = lines[...]
      while !rest.isEmpty { rest = rest.dropFirst(Self.write(Self.chunk(of: rest), descriptor)) }
    }
  }

  /// As many whole lines as fit, or one that does not.
  private static func chunk(of lines: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard lines.count > chunkBytesMax else { return lines }
    let lineEnd = UInt8(ascii: "\n")
    let end =
      lines.prefix(chunkBytesMax).lastIndex(of: lineEnd) ?? lines.firstIndex(of: lineEnd)
    return end.map { lines[...$0] } ?? lines
  }

  /// How many bytes are done with: a closed pipe loses them, since a log line is not worth failing for.
  private static func write(_ bytes: ArraySlice<UInt8>, _ descriptor: Int32) -> Int {
    var rest = bytes
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard written > 0 || errno == EINTR else { break }
      rest = rest.dropFirst(max(0, written))
    }
    return bytes.count
  }
}
