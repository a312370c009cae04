import Testing

@testable import ControlPlane

@Suite("Slugs (our policy, RFC 1123 section 2.1)")
struct SlugTests {
  @Test(
    "Names of hosts are accepted",
    arguments: ["acme", "a1b", "a-b-c", "0day", "xyz", String(repeating: "a", count: 40)])
  func accepts(_ text: String) throws {
    #expect(try Slug(text).value == text)
  }

  @Test(
    "Everything else is refused with a sentence",
    arguments: [
      "", "ab", String(repeating: "a", count: 41), "Acme", "a_b", "a.b", "a b", "äöü", "-abc",
      "abc-", "a--b", "xn--abc", "abc\n", "\u{212A}elvin", "a/b", "..", "%2e%2e",
      "0190b0a0-0000-7000-8000-000000000000",
    ])
  func refuses(_ text: String) {
    #expect(throws: SlugRefusal.self) { try Slug(text) }
  }

  @Test("Reserved names are refused", arguments: Slug.reserved.sorted())
  func reserved(_ text: String) {
    #expect(throws: SlugRefusal.self) { try Slug(text) }
  }

  @Test("The name of the system organization is given out by the bootstrap only")
  func system() {
    #expect(Slug.reserved.contains(Slug.system.value))
  }
}
