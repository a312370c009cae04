import Platform
import Testing

@testable import Outgoing

@Suite("Addresses an outgoing request may reach")
struct AddressTests {
  @Test(
    "private, local and translated addresses are refused",
    arguments: [
      "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
      "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254",
      "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1",
      "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
      "239.255.255.255", "240.0.0.1", "255.255.255.255",
      "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:0:10.0.0.1",
      "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1",
      "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1",
      "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "4000::1",
    ] as [IPAddress])
  func refused(_ address: IPAddress) {
    #expect(!address.isPublic)
  }

  @Test(
    "public addresses are not",
    arguments: [
      "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
      "126.255.255.255", "128.0.0.1", "168.63.129.15", "169.253.255.255", "172.15.255.255",
      "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
      "223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2606:4700:4700::1111",
      "2a00:1450:4001:81b::200e", "3ffe::1",
    ] as [IPAddress])
  func isPublic(_ address: IPAddress) {
    #expect(address.isPublic)
  }

  struct Attempt: Sendable, CustomTestStringConvertible {
    let url: String
    let addresses: [IPAddress]
    let error: OutgoingError?

    init(_ url: String, _ addresses: [IPAddress], _ error: OutgoingError?) {
      (self.url, self.addresses, self.error) = (url, addresses, error)
    }

    var testDescription: String { "\(url) at \(addresses)" }
  }

  @Test(
    "the policy, with `hooks.internal` and 10.1.0.0/16 vouched for",
    arguments: [
      Attempt("https://a.example/", ["8.8.8.8"], nil),
      Attempt("https://a.example:8443/", ["8.8.8.8", "2606:4700::1"], nil),
      Attempt("https://a.example/", [], .unresolvable),
      Attempt("https://a.example:22/", ["8.8.8.8"], .refusedURL("port")),
      Attempt("http://a.example/", ["8.8.8.8"], .refusedURL("plain HTTP")),
      Attempt("http://a.example:443/", ["8.8.8.8"], .refusedURL("plain HTTP")),
      Attempt("https://a.example/", ["10.0.0.1"], .refusedAddress),
      Attempt("https://a.example/", ["8.8.8.8", "10.0.0.1"], .refusedAddress),
      Attempt("https://a.example/", ["10.0.0.1", "8.8.8.8"], .refusedAddress),
      Attempt("https://a.example/", ["10.1.0.1"], nil),
      Attempt("http://a.example:9000/", ["10.1.0.1"], nil),
      Attempt("http://a.example:9000/", ["10.1.0.1", "10.2.0.1"], .refusedURL("plain HTTP")),
      Attempt("https://a.example/", ["10.1.0.1", "10.2.0.1"], .refusedAddress),
      Attempt("http://hooks.internal:9000/", ["192.168.1.1"], nil),
      Attempt("https://other.internal/", ["192.168.1.1"], .refusedAddress),
      Attempt("https://x.hooks.internal/", ["192.168.1.1"], .refusedAddress),
      Attempt("https://10.1.2.3/", ["10.1.2.3"], nil),
    ])
  func policy(_ attempt: Attempt) throws {
    let policy = AddressPolicy(
      allowed: [.host("hooks.internal"), try .init(setting: "10.1.0.0/16")], ports: [443, 8443])
    let url = try OutgoingURL(attempt.url)
    let outcome = Result { () throws(OutgoingError) in try policy.check(url, attempt.addresses) }
    switch (outcome, attempt.error) {
    case (.success, nil): break
    case (.failure(let error), let expected): #expect(error == expected)
    case (.success, .some): Issue.record("was accepted")
    }
  }

  @Test(
    "addresses are rebuilt in one spelling",
    arguments: [
      ("https://a.example", "https://a.example/", 443),
      ("HTTPS://A.Example:443/Path?q=1&r", "https://a.example/Path?q=1&r", 443),
      ("https://a.example:8443/x#hash", "https://a.example:8443/x", 8443),
      ("http://localhost:3000/jwks", "http://localhost:3000/jwks", 3000),
      ("http://[::1]:80/", "http://[::1]/", 80),
      ("https://8.8.8.8/?", "https://8.8.8.8/?", 443),
      ("https://xn--bcher-kva.example/%C3%BC", "https://xn--bcher-kva.example/%C3%BC", 443),
      ("https://a_b.example/", "https://a_b.example/", 443),
    ])
  func spelling(_ text: String, _ expected: String, _ port: Int) throws {
    let url = try OutgoingURL(text)
    #expect(url.text == expected)
    #expect(url.port == port)
  }

  @Test("the fragment is kept apart") func fragment() throws {
    #expect(try OutgoingURL("https://a.example/x#hash").fragment == "hash")
  }

  @Test(
    "addresses that readers could disagree about are refused",
    arguments: [
      "", "a.example", "//a.example/", "ftp://a.example/", "file:///etc/passwd", "https:a.example",
      "https://", "https:///x", "https://user@a.example/", "https://user:pw@a.example/",
      "https://a.example@127.0.0.1/", "https://a.example\\@127.0.0.1/", "https://a.example /",
      "https://a.example\n/", "https://ä.example/", "https://a%2eexample/", "https://a.example./",
      "https://.a.example/", "https://a..example/", "https://2130706433/", "https://0x7f.1/",
      "https://0x7f000001/", "https://127.1/", "https://0177.0.0.1/", "https://127.0.0.1.1/",
      "https://256.1.1.1/", "https://[::1/", "https://[::1%25lo]/", "https://[v1.a]/",
      "https://[::g]/", "https://a.example:0/", "https://a.example:65536/", "https://a.example:/x",
      "https://a.example:8a/", "https://a.example/%", "https://a.example/%zz",
      "https://a.example/" + String(repeating: "x", count: 2048),
    ])
  func refusedURLs(_ text: String) {
    #expect(throws: OutgoingError.self) { try OutgoingURL(text) }
  }

  @Test("the list of destinations is read strictly")
  func settings() throws {
    let list: [OutgoingDestination] = try .init(
      setting: "hooks.internal,10.1.0.0/16,127.0.0.1,::1")
    let blocks = ["10.1.0.0/16", "127.0.0.1", "::1"].compactMap { AddressBlock($0) }
    #expect(list == [.host("hooks.internal")] + blocks.map { .network($0) })
    #expect(blocks.count == 3)
    for wrong in ["10.1.0.0/8", "10.0.0.0/33", "Hooks.internal", "https://a", "a b", "*.example"] {
      #expect(throws: SettingRefusal.self) { try OutgoingDestination(setting: wrong) }
    }
    #expect(throws: SettingsProblems.self) { try OutgoingSettings.with(["PORTS": "0"]) }
    #expect(throws: SettingsProblems.self) { try OutgoingSettings.with(["CA_FILE": "/nowhere"]) }
  }
}
