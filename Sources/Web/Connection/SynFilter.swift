import Glibc
import NIOCore

/// Keeps new connections from a listening socket while those that have begun are still accepted.
///
/// Closing a listening socket resets the connections in its queue, whose clients may have sent a
/// request already. With this filter a client that connects gets no answer at first and a refusal when
/// its system asks again, after the socket is closed: it knows that nothing was sent, so every proxy
/// goes on to the next server, also with a POST.
enum SynFilter {
  /// The layout of `struct sock_filter` (linux/filter.h).
  private struct Instruction {
    let code: UInt16
    let jumpIfTrue: UInt8
    let jumpIfFalse: UInt8
    let operand: UInt32
  }

  /// The layout of `struct sock_fprog`; its count is followed by padding.
  private struct Program: Sendable {
    let count: UInt16
    let instructions: UInt
  }

  /// Drops segments that open a connection (RFC 9293 section 3.1: SYN is the second bit of octet 13).
  private static let instructions = [
    Instruction(code: 0x30, jumpIfTrue: 0, jumpIfFalse: 0, operand: 13),  // A = flags
    Instruction(code: 0x45, jumpIfTrue: 0, jumpIfFalse: 1, operand: 0x02),  // SYN?
    Instruction(code: 0x06, jumpIfTrue: 0, jumpIfFalse: 0, operand: 0),  // drop
    Instruction(code: 0x06, jumpIfTrue: 0, jumpIfFalse: 0, operand: .max),  // keep
  ]

  static func attach(to channel: any Channel) async throws {
    guard let options = channel as? any SocketOptionProvider else { return }
    try await channel.eventLoop.flatSubmit {
      instructions.withUnsafeBytes { bytes in
        // On its own event loop the option is set before this returns, so the pointer is valid.
        options.unsafeSetSocketOption(
          level: .socket, name: .init(rawValue: SO_ATTACH_FILTER),
          value: Program(
            count: UInt16(instructions.count), instructions: UInt(bitPattern: bytes.baseAddress)))
      }
    }.get()
  }

  /// How many connections wait to be accepted: what Linux says of a listening socket in `tcpi_unacked`.
  static func waiting(on channel: any Channel) async throws -> Int {
    guard let options = channel as? any SocketOptionProvider else { return 0 }
    return Int(try await options.getTCPInfo().get().tcpi_unacked)
  }
}
