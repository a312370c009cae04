package import Platform

/// Where requests to addresses that others chose may go.
package struct AddressPolicy: Sendable {
  /// Destinations the operator vouches for: they may be private, speak plain HTTP and have any port.
  package let allowed: [OutgoingDestination]
  /// The ports of everything else.
  package let ports: Set<Int>

  package init(allowed: [OutgoingDestination], ports: Set<Int>) {
    self.allowed = allowed
    self.ports = ports
  }

  /// The addresses to connect to, if all of them are acceptable.
  ///
  /// One private address among public ones is a reason to refuse: nobody has that by accident.
  func check(_ url: OutgoingURL, _ addresses: [IPAddress]) throws(OutgoingError) {
    guard !addresses.isEmpty else { throw .unresolvable }
    let isVouchedFor = addresses.allSatisfy { address in
      allowed.contains { $0.covers(host: url.host, address) }
    }
    if isVouchedFor { return }
    guard url.isSecure else { throw .refusedURL("plain HTTP") }
    guard ports.contains(url.port) else { throw .refusedURL("port") }
    guard addresses.allSatisfy(\.isPublic) else { throw .refusedAddress }
  }
}

/// One entry of the list of destinations the operator vouches for: a host name, an address or a network.
package enum OutgoingDestination: SettingValue, Hashable {
  case host(String)
  case network(AddressBlock)

  package init(setting text: String) throws(SettingRefusal) {
    if let network = AddressBlock(text) {
      self = .network(network)
    } else if OutgoingURL.isHostName(text) {
      self = .host(text)
    } else {
      throw SettingRefusal("host names in lower case, addresses or networks such as 10.1.0.0/16")
    }
  }

  func covers(host: String, _ address: IPAddress) -> Bool {
    switch self {
    case .host(let name): name == host
    case .network(let network): network.contains(address)
    }
  }

  package static var settingType: String { "host or network" }
  package static var settingPlaceholder: OutgoingDestination { .host("placeholder.invalid") }
  package var settingText: String {
    switch self {
    case .host(let name): name
    case .network(let network): network.settingText
    }
  }
}

extension IPAddress {
  /// Whether the address is one of the public Internet's, by IANA's special-purpose registries (RFC 6890).
  var isPublic: Bool {
    let isIn = { (blocks: [AddressBlock]) in blocks.contains { $0.contains(self) } }
    return isV4 ? !isIn(Self.specialV4) : isIn(Self.unicastV6) && !isIn(Self.specialV6)
  }

  private static let specialV4 = blocks([
    "0.0.0.0/8",  // "this network"; 0.0.0.0 reaches this machine
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  // private (RFC 1918)
    "100.64.0.0/10",  // carrier-grade NAT (RFC 6598)
    "127.0.0.0/8",  // loopback
    "169.254.0.0/16",  // link-local; the metadata services of clouds
    "168.63.129.16",  // Azure's, which looks public and is not
    "192.0.0.0/24",  // protocol assignments; another cloud's metadata service
    "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  // documentation
    "192.88.99.0/24",  // 6to4 relays (RFC 7526)
    "198.18.0.0/15",  // benchmarks (RFC 2544)
    "224.0.0.0/4", "240.0.0.0/4",  // multicast, reserved, broadcast
  ])

  /// RFC 4291 section 2.4: everything else is loopback, unspecified, mapped, local, multicast, a translation
  /// prefix (NAT64) or not assigned.
  private static let unicastV6 = blocks(["2000::/3"])

  private static let specialV6 = blocks([
    "2001::/23",  // protocol assignments: Teredo, benchmarks, ORCHID
    "2001:db8::/32", "3fff::/20",  // documentation
    "2002::/16",  // 6to4: an IPv4 address inside
  ])

  private static func blocks(_ texts: [String]) -> [AddressBlock] {
    texts.map { text in
      guard let block = AddressBlock(text) else { preconditionFailure("\(text) is not a block") }
      return block
    }
  }
}
