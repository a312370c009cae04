import CZlib

/// One zlib compression stream and the buffer it fills.
///
/// Invariant behind `@safe`: `stream` is initialised by `deflateInit2_` and freed in `deinit` only; pointers to input and output are
/// stored in it for the length of one call of `step`.
@safe final class Deflater {
  enum Format {
    /// RFC 1951, as ZIP wants it.
    case raw
    /// RFC 1952.
    case gzip
  }

  private let stream: UnsafeMutablePointer<z_stream>
  private let buffer: UnsafeMutableBufferPointer<UInt8>
  static let bufferBytes = 64 * 1024

  init(_ format: Format) throws {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    unsafe buffer = .allocate(capacity: Self.bufferBytes)
    let windowBits: Int32 =
      switch format {
      case .raw: -15
      case .gzip: 15 + 16
      }
    let code = unsafe deflateInit2_(
      stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw ArchiveError.compressionFailed(code: code) }
  }

  deinit {
    // After a failed initialisation there is no state and this is a no-op.
    _ = unsafe deflateEnd(stream)
    unsafe stream.deallocate()
    unsafe buffer.deallocate()
  }

  /// Makes the stream ready for new content.
  func reset() throws {
    let code = unsafe deflateReset(stream)
    guard code == Z_OK else { throw ArchiveError.compressionFailed(code: code) }
  }

  enum Progress {
    /// The input is used up; with `finish`, the stream is complete.
    case done
    /// There is more to come than fitted into the buffer: call again with what is left.
    case more
  }

  /// Compresses once: drops from `input` what was used and appends at most a buffer of output.
  func step(
    _ input: inout ArraySlice<UInt8>, finish: Bool, into output: inout [UInt8]
  ) throws -> Progress {
    let (code, used) = unsafe input.withUnsafeBufferPointer { source in
      let offered = UInt32(clamping: source.count)
      unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
      unsafe stream.pointee.avail_in = offered
      unsafe stream.pointee.next_out = buffer.baseAddress
      unsafe stream.pointee.avail_out = UInt32(Self.bufferBytes)
      // Input beyond 4 GiB is offered in a later step, so only then may the stream end.
      let isLast = finish && source.count == Int(offered)
      let code = unsafe deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
      return (code, Int(offered - (unsafe stream.pointee.avail_in)))
    }
    // Z_BUF_ERROR: nothing to do, which is not a failure.
    guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else {
      throw ArchiveError.compressionFailed(code: code)
    }
    input = input.dropFirst(used)
    let space = Int(unsafe stream.pointee.avail_out)
    unsafe output.append(
      contentsOf: UnsafeBufferPointer(rebasing: buffer[..<(buffer.count - space)]))
    if finish { return code == Z_STREAM_END ? .done : .more }
    return input.isEmpty && space > 0 ? .done : .more
  }

  /// CRC-32 (APPNOTE section 4.4.7), continued over `bytes`.
  static func checksum(_ bytes: [UInt8], continuing checksum: UInt32) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { source in
      UInt32(truncatingIfNeeded: unsafe crc32_z(UInt(checksum), source.baseAddress, source.count))
    }
  }
}
