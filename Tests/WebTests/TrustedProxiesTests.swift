import HTTPTypes
import Platform
import Testing

@testable import Web

/// Who sent a request, whatever it says about itself.
@Suite("RFC 7239 section 8.1: only trusted proxies say whom they forward for")
struct TrustedProxiesTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let peer: String
    let fields: [String]
    let client: String

    init(_ name: String, from peer: String, _ fields: [String], is client: String) {
      testDescription = name
      self.peer = peer
      self.fields = fields
      self.client = client
    }
  }

  static func resolve(_ row: Row, _ header: ForwardingHeader) throws -> String {
    let blocks = try ["10.0.0.0/8", "2001:db8:ffff::/48"].map { try #require(AddressBlock($0)) }
    var headers: HTTPFields = [:]
    for field in row.fields {
      headers.append(
        HTTPField(name: header == .forwarded ? .forwarded : .xForwardedFor, value: field))
    }
    // The other header is always there, and always a lie.
    headers.append(
      HTTPField(
        name: header == .forwarded ? .xForwardedFor : .forwarded,
        value: header == .forwarded ? "6.6.6.6" : "for=6.6.6.6"))
    let peer = try #require(IPAddress(row.peer))
    return TrustedProxies(blocks, header: header).client(behind: peer, headers).description
  }

  @Test(
    "X-Forwarded-For",
    arguments: [
      Row("no proxy, no header", from: "203.0.113.5", [], is: "203.0.113.5"),
      Row("an untrusted peer is not believed", from: "203.0.113.5", ["1.1.1.1"], is: "203.0.113.5"),
      Row("one proxy", from: "10.0.0.1", ["198.51.100.7"], is: "198.51.100.7"),
      Row("a forged entry before", from: "10.0.0.1", ["1.1.1.1, 198.51.100.7"], is: "198.51.100.7"),
      Row("two proxies", from: "10.0.0.1", ["198.51.100.7, 10.0.0.2"], is: "198.51.100.7"),
      Row(
        "a forged trusted address before", from: "10.0.0.1", ["10.0.0.9, 198.51.100.7"],
        is: "198.51.100.7"),
      Row(
        "several fields are one list", from: "10.0.0.1", ["1.1.1.1", "198.51.100.7", "10.0.0.2"],
        is: "198.51.100.7"),
      Row(
        "only proxies: the first of them", from: "10.0.0.1", ["10.0.0.3,10.0.0.2"], is: "10.0.0.3"),
      Row("a proxy that says nothing", from: "10.0.0.1", [], is: "10.0.0.1"),
      Row("empty", from: "10.0.0.1", [""], is: "10.0.0.1"),
      Row("malformed: the last address known", from: "10.0.0.1", ["1.1.1.1, evil"], is: "10.0.0.1"),
      Row(
        "malformed behind a proxy", from: "10.0.0.1", ["1.1.1.1, evil, 10.0.0.2"], is: "10.0.0.2"),
      Row("an empty element", from: "10.0.0.1", ["198.51.100.7,"], is: "10.0.0.1"),
      Row("an empty element first", from: "10.0.0.1", [",10.0.0.2"], is: "10.0.0.2"),
      Row("with a port", from: "10.0.0.1", ["198.51.100.7:4711"], is: "198.51.100.7"),
      Row("with a bad port", from: "10.0.0.1", ["198.51.100.7:x"], is: "10.0.0.1"),
      Row("IPv6", from: "2001:db8:ffff::1", ["2001:db8::5"], is: "2001:db8::5"),
      Row("IPv6 with a port", from: "10.0.0.1", ["[2001:db8::5]:80"], is: "2001:db8::5"),
      Row("brackets around IPv4", from: "10.0.0.1", ["[1.2.3.4]"], is: "10.0.0.1"),
      Row("a mapped address", from: "::ffff:10.0.0.1", ["::ffff:198.51.100.7"], is: "198.51.100.7"),
      Row("a name", from: "10.0.0.1", ["localhost"], is: "10.0.0.1"),
      Row("octal", from: "10.0.0.1", ["0177.0.0.1"], is: "10.0.0.1"),
      Row(
        "more hops than there can be", from: "10.0.0.1",
        ["198.51.100.7" + String(repeating: ", 10.0.0.2", count: 40)], is: "10.0.0.2"),
    ])
  func xForwardedFor(_ row: Row) throws {
    #expect(try Self.resolve(row, .xForwardedFor) == row.client)
  }

  @Test(
    "Forwarded",
    arguments: [
      Row("an untrusted peer", from: "203.0.113.5", ["for=1.1.1.1"], is: "203.0.113.5"),
      Row("one proxy", from: "10.0.0.1", ["for=198.51.100.7"], is: "198.51.100.7"),
      Row(
        "other parameters", from: "10.0.0.1", ["by=10.0.0.1;For=\"198.51.100.7:80\";proto=https"],
        is: "198.51.100.7"),
      Row(
        "IPv6", from: "10.0.0.1", ["for=\"[2001:db8:cafe::17]:4711\""], is: "2001:db8:cafe::17"),
      Row(
        "a quote that swallows what follows", from: "10.0.0.1",
        ["for=\"evil, for=198.51.100.7"], is: "198.51.100.7"),
      Row(
        "a quoted comma of an untrusted hop", from: "10.0.0.1",
        ["for=\"a,b\", for=198.51.100.7"], is: "198.51.100.7"),
      Row("obfuscated", from: "10.0.0.1", ["for=_hidden"], is: "10.0.0.1"),
      Row("unknown", from: "10.0.0.1", ["for=unknown, for=10.0.0.2"], is: "10.0.0.2"),
      Row("no for", from: "10.0.0.1", ["proto=https"], is: "10.0.0.1"),
      Row("for twice", from: "10.0.0.1", ["for=1.1.1.1;for=2.2.2.2"], is: "10.0.0.1"),
      Row("no pairs", from: "10.0.0.1", ["1.1.1.1"], is: "10.0.0.1"),
      Row("half a quote", from: "10.0.0.1", ["for=\"198.51.100.7"], is: "10.0.0.1"),
    ])
  func forwarded(_ row: Row) throws {
    #expect(try Self.resolve(row, .forwarded) == row.client)
  }
}
