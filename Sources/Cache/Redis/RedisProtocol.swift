import CHiredis
import NIOCore

/// A reply of RESP2 (the Redis serialization protocol, version 2).
enum RedisReply: Sendable, Hashable {
  case null
  case integer(Int64)
  case status(String)
  case error(String)
  case string([UInt8])
  case array([RedisReply])
}

/// Why there is no reply.
package enum RedisError: Error, Hashable, Sendable {
  case disconnected
  case timedOut
  /// More commands wait for a reply than the limit allows.
  case overloaded
  /// Redis answered with an error; the text is Redis's and names no values.
  case refused(String)
  case unexpectedReply
  case malformedReply
}

/// A command as the bytes of a RESP2 array, by hiredis's formatter.
enum RedisCommand {
  static func encode(_ arguments: [String]) -> [UInt8] {
    // All arguments in one run of bytes: hiredis wants an array of pointers, and these stay valid together.
    var bytes: [UInt8] = []
    var lengths: [Int] = []
    for argument in arguments {
      bytes.append(contentsOf: argument.utf8)
      lengths.append(argument.utf8.count)
    }
    // An empty array has no address to point to.
    bytes.append(0)
    return unsafe bytes.withUnsafeBytes { all in
      var pointers: [UnsafePointer<CChar>?] = unsafe []
      var start = 0
      for length in lengths {
        unsafe pointers.append(
          all.baseAddress?.advanced(by: start).assumingMemoryBound(to: CChar.self))
        start += length
      }
      var target: UnsafeMutablePointer<CChar>?
      let count = unsafe redisFormatCommandArgv(&target, Int32(lengths.count), &pointers, lengths)
      guard count > 0, let command = unsafe target else {
        preconditionFailure("hiredis could not allocate a command")
      }
      defer { unsafe redisFreeCommand(command) }
      return unsafe [UInt8](UnsafeRawBufferPointer(start: command, count: Int(count)))
    }
  }
}

/// hiredis's incremental parser.
///
/// Invariant behind `@safe`: `reader` is created in `init` and freed in `deinit` only; replies are copied out and freed before `next` returns.
@safe final class RedisReplyReader {
  private let reader: UnsafeMutablePointer<redisReader>
  /// No reply we ask for comes near this; it bounds what a confused peer can make us hold.
  static let bufferedBytesMax = 16 * 1024 * 1024

  init() {
    guard let reader = unsafe redisReaderCreate() else {
      preconditionFailure("hiredis could not allocate a reader")
    }
    unsafe self.reader = unsafe reader
  }

  deinit {
    unsafe redisReaderFree(reader)
  }

  func feed(_ bytes: ByteBuffer) throws(RedisError) {
    let code = unsafe bytes.withUnsafeReadableBytes { source in
      unsafe redisReaderFeed(
        reader, source.baseAddress?.assumingMemoryBound(to: CChar.self), source.count)
    }
    guard code == REDIS_OK, unsafe reader.pointee.len <= Self.bufferedBytesMax else {
      throw .malformedReply
    }
  }

  /// The next complete reply, or nil until more bytes are fed.
  func next() throws(RedisError) -> RedisReply? {
    var object: UnsafeMutableRawPointer?
    guard unsafe redisReaderGetReply(reader, &object) == REDIS_OK else { throw .malformedReply }
    guard let object = unsafe object else { return nil }
    defer { unsafe freeReplyObject(object) }
    return unsafe Self.copy(object.assumingMemoryBound(to: redisReply.self).pointee)
  }

  private static func copy(_ reply: redisReply) -> RedisReply {
    switch unsafe reply.type {
    case REDIS_REPLY_INTEGER: return unsafe .integer(reply.integer)
    case REDIS_REPLY_STATUS: return unsafe .status(String(decoding: bytes(reply), as: UTF8.self))
    case REDIS_REPLY_ERROR: return unsafe .error(String(decoding: bytes(reply), as: UTF8.self))
    case REDIS_REPLY_STRING: return unsafe .string(bytes(reply))
    case REDIS_REPLY_ARRAY:
      var elements: [RedisReply] = []
      for position in 0..<(unsafe Int(reply.elements)) {
        guard let element = unsafe reply.element[position] else { continue }
        unsafe elements.append(copy(element.pointee))
      }
      return .array(elements)
    default: return .null
    }
  }

  private static func bytes(_ reply: redisReply) -> [UInt8] {
    unsafe [UInt8](UnsafeRawBufferPointer(start: reply.str, count: Int(reply.len)))
  }
}
