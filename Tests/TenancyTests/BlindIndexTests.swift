import Platform
@testable import Tenancy
import Testing

@Suite("Blind indexes: two spellings of the same value meet")
struct BlindIndexTests {
  @Test(arguments: [
    (BlindIndex.email, " Alice@Example.COM ", "alice@example.com"),
    (.email, "u\u{308}@example.com", "\u{fc}@example.com"),
    (.email, "ÜBER@example.com", "über@example.com"),
    (.username, "Alice", "alice"),
    (.username, "STRASSE", "strasse"),
    (.username, "straße", "strasse"),
    (.username, "ΣΊΣΥΦΟΣ", "σίσυφοσ"),
    (.username, "Σίσυφος", "σίσυφοσ"),
    (.username, "Cafe\u{301}", "café"),
    (.phone, "+1 (425) 555-1212", "+14255551212"),
    (.phone, "+49.30/1234567;ext=5", "+49301234567"),
  ])
  func normalises(_ kind: BlindIndex, _ value: String, _ normal: String) {
    #expect(kind.normalise(value).map { Array($0.utf8) } == Array(normal.utf8))
  }

  @Test(arguments: [
    (BlindIndex.email, "  "), (.username, ""), (.phone, "030 1234567"), (.phone, "+0301234567"),
    (.phone, "+123456"), (.phone, "+1234567890123456"), (.phone, "+49 30 CALL"), (.phone, "+"),
  ])
  func hasNoNormalForm(_ kind: BlindIndex, _ value: String) {
    #expect(kind.normalise(value) == nil)
  }

  @Test func differsByTenantAndByKind() {
    let tenants = (0..<2).map { _ in TenantKey.generate(for: .generate(.system, .system)) }
    let first = tenants[0].blindIndex(.email, "a@example.com")
    #expect(first == tenants[0].blindIndex(.email, "A@EXAMPLE.com"))
    #expect(first?.count == 32)
    #expect(first != tenants[0].blindIndex(.username, "a@example.com"))
    #expect(first != tenants[1].blindIndex(.email, "a@example.com"))
  }
}
