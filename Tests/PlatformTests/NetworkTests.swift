import Platform
import Testing

@Suite("IP addresses and blocks")
struct NetworkTests {
  @Test(
    "RFC 5952: every spelling of an address is one value, shown in one way",
    arguments: [
      ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
      ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
      ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
      ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
      ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:192.0.2.1", "192.0.2.1"),
      ("::FFFF:c000:201", "192.0.2.1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ])
  func spellings(_ text: String, _ canonical: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.description == canonical)
    #expect(IPAddress(canonical) == address)
  }

  @Test(
    "what is no address is refused",
    arguments: [
      "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.-4", "1.2.3.+4", " 1.2.3.4",
      "1.2.3.4 ", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1::", "1::2::3", "g::",
      "12345::", "fe80::1%eth0", "[::1]", "1.2.3.4::", "::1.2.3", "+1::", "1:2:3:4:5:6:7::8",
      "0x7f.0.0.1", "2130706433", "::ffff:1.2.3.4.5",
    ])
  func refused(_ text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test(
    "RFC 4632: a block has exactly the addresses of its prefix",
    arguments: [
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
      ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("192.0.2.1", "192.0.2.1", true),
      ("192.0.2.1", "192.0.2.2", false), ("0.0.0.0/0", "203.0.113.9", true),
      ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true),
      ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false),
      ("2001:db8::/65", "2001:db8::7fff:0:0:0", true),
      ("2001:db8::/65", "2001:db8:0:0:8000::", false),
    ])
  func blocks(_ block: String, _ address: String, _ isInside: Bool) throws {
    let block = try #require(AddressBlock(block))
    #expect(try block.contains(#require(IPAddress(address))) == isInside)
  }

  @Test(
    "a block that says two things is refused",
    arguments: [
      "10.1.2.3/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08", "x/8",
    ])
  func malformed(_ text: String) {
    #expect(AddressBlock(text) == nil)
  }

  @Test("a subscriber has one IPv4 address, or an IPv6 /64")
  func subscribers() throws {
    let one = try #require(IPAddress("2001:db8:1:2:3::4")).subscriber
    #expect(one == IPAddress("2001:db8:1:2:ffff::1")?.subscriber)
    #expect(one != IPAddress("2001:db8:1:3::1")?.subscriber)
    #expect(IPAddress("192.0.2.1")?.subscriber != IPAddress("192.0.2.2")?.subscriber)
  }
}

@Suite("Rates")
struct RateLimitTests {
  @Test(
    "what a setting may say",
    arguments: [
      ("off", nil), ("100/s:500", Rate(100, per: .second, burst: 500)),
      ("30/m:1", Rate(30, per: .minute, burst: 1)),
    ] as [(String, Rate?)])
  func reads(_ text: String, _ rate: Rate?) throws {
    let limit = try #require(RateLimit(text))
    #expect(limit.rate == rate)
    #expect(limit.settingText == text)
  }

  @Test(
    "and what not",
    arguments: [
      "", "100", "100/s", "100/h:5", "0/s:5", "5/s:0", "-1/s:1", "+1/s:1", "1/s:1:1", "1/s/s:1",
      "1000001/s:1", "01/s:1", "Off", "1 /s:1",
    ])
  func refuses(_ text: String) {
    #expect(RateLimit(text) == nil)
  }

  @Test("the window is the time in which an empty bucket fills")
  func windows() {
    #expect(Rate(100, per: .second, burst: 500)?.windowSeconds == 5)
    #expect(Rate(30, per: .minute, burst: 30)?.windowSeconds == 60)
    #expect(Rate(1000, per: .second, burst: 1)?.windowSeconds == 1)
  }
}
