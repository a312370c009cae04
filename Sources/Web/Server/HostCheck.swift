import HTTPTypes
import Hummingbird
import Platform

/// Refuses requests for other hosts than ours (RFC 9110 section 7.4, RFC 9112 section 3.2).
///
/// No address we make comes from the request; still a browser that was sent here under a foreign name (DNS
/// rebinding) must get nothing. Ports are not compared: a name is what an attacker can own.
struct HostCheck: RouterMiddleware {
  private let hosts: Set<String>

  init(base: BaseURL, others: [String]) {
    let own = base.host.trimmingBrackets
    var hosts = Set(others.map { $0.lowercased().trimmingBrackets } + [own])
    // On one machine the interface has several names.
    if Self.loopback.contains(own) { hosts.formUnion(Self.loopback) }
    self.hosts = hosts
  }

  private static let loopback: Set = ["localhost", "127.0.0.1", "::1"]

  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    // The first Host header became the authority; a field that is left is a second one.
    guard let authority = request.head.authority, !request.headers.contains(.host) else {
      throw Problem.badRequest("The request must have one Host header.")
    }
    guard let host = Self.host(authority) else {
      throw Problem.badRequest("The Host header is not valid.")
    }
    guard hosts.contains(host) else {
      throw Problem(
        .misdirectedRequest, kind: "misdirected-request",
        detail: "This server is not responsible for the host of the request.")
    }
    return try await next(request, context)
  }

  /// The name in a Host header, lower case, without port and brackets.
  ///
  /// Cut by bytes, as a path is: it is asked of every request.
  static func host(_ authority: String) -> String? {
    let bytes = authority.utf8
    if bytes.first == UInt8(ascii: "[") {
      guard let close = bytes.firstIndex(of: UInt8(ascii: "]")),
        isPort(bytes[close...].dropFirst()),
        let address = IPAddress(Substring(bytes[..<close].dropFirst())), !address.isV4
      else { return nil }
      return address.description
    }
    let name = bytes.prefix { $0 != UInt8(ascii: ":") }
    guard isPort(bytes[name.endIndex...]), !name.isEmpty, name.count <= 253,
      name.allSatisfy(isNameByte)
    else { return nil }
    return String(Substring(name)).lowercased()
  }

  private static func isPort(_ text: Substring.UTF8View) -> Bool {
    let digits = text.dropFirst()
    return text.isEmpty
      || text.first == UInt8(ascii: ":") && digits.count <= 5
        && digits.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

extension String {
  /// A URL has an IPv6 address in brackets.
  fileprivate var trimmingBrackets: String {
    hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self
  }
}
