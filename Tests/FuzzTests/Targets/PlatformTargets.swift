import Glibc
import Platform

extension FuzzTarget {
  /// Whatever is read is written so that it is read again.
  static let json = FuzzTarget(name: "json") { bytes in
    let limits = JSONLimits(depth: 16, bytes: 64 * 1024)
    guard let value = try? JSON.parse(bytes, limits: limits) else { return }
    let again = try? JSON.parse(value.encoded(), limits: JSONLimits(depth: 16, bytes: 1024 * 1024))
    hold(again == value, "JSON that is written is read again")
    hold(bytes.text != nil, "JSON is UTF-8 (RFC 8259 section 8.1)")
  }

  /// The same addresses as the C library reads, in fewer spellings.
  static let ipAddress = FuzzTarget(name: "ipAddress") { bytes in
    guard let text = bytes.text, !bytes.contains(0) else { return }
    var v4 = in_addr()
    var v6 = in6_addr()
    let isV4 = inet_pton(AF_INET, text, &v4) == 1
    let isV6 = inet_pton(AF_INET6, text, &v6) == 1
    guard let address = IPAddress(text) else {
      return hold(!isV4 && !isV6, "an address of inet_pton(3) is read")
    }
    if isV4 {
      hold(address == IPAddress(v4: UInt32(bigEndian: v4.s_addr)), "IPv4 by inet_pton(3)")
    } else {
      let halves = withUnsafeBytes(of: v6) { bytes in
        [bytes[..<8], bytes[8...]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
      }
      hold(
        isV6 && address == IPAddress(high: halves[0], low: halves[1]), "IPv6 by inet_pton(3)")
    }
    hold(IPAddress(address.description) == address, "an address that is written is read again")
    if let block = AddressBlock(text) {
      hold(block.contains(block.network), "a block contains its own address")
      hold(AddressBlock(block.settingText) == block, "a block that is written is read again")
    }
  }

  /// A trace that is taken over is passed on as itself (W3C Trace Context section 3.2).
  static let traceparent = FuzzTarget(name: "traceparent") { bytes in
    guard let text = bytes.text, let trace = TraceContext(traceparent: text) else { return }
    let written = trace.traceparent
    hold(TraceContext(traceparent: written) == trace, "a trace that is written is read again")
    hold(written.utf8.count == 55, "in 55 characters")
    hold(text.dropFirst(2).hasPrefix(written.dropFirst(2).dropLast(2)), "with the same ids")
  }
}
