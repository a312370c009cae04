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
    switch IPAddress(text) {
    case .v4(let value): hold(isV4 && UInt32(bigEndian: v4.s_addr) == value, "IPv4 by inet_pton(3)")
    case .v6(let value):
      let expected = withUnsafeBytes(of: v6) { $0.reduce(UInt128(0)) { $0 << 8 | UInt128($1) } }
      hold(isV6 && expected == value, "IPv6 by inet_pton(3)")
    case nil: hold(!isV4 && !isV6, "an address of inet_pton(3) is read")
    }
    if let network = IPNetwork(text) {
      hold(network.contains(network.address), "a network contains its own address")
      hold(IPNetwork(network.description) == network, "a network that is written is read again")
    }
  }
}
