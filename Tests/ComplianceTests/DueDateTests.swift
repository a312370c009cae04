import FoundationEssentials
import Platform
import Testing

@testable import Compliance

@Suite("GDPR Article 12(3): one month, by Regulation 1182/71 Article 3(2)(c)")
struct DueDateTests {
  @Test(arguments: [
    ("2026-11-21T08:25:00.000Z", "2026-12-21T08:25:00.000Z"),
    ("2026-01-31T23:59:59.999Z", "2026-02-28T23:59:59.999Z"),
    ("2028-01-31T00:00:00.000Z", "2028-02-29T00:00:00.000Z"),
    ("2026-03-31T10:00:00.000Z", "2026-04-30T10:00:00.000Z"),
    ("2026-12-31T10:00:00.000Z", "2027-01-31T10:00:00.000Z"),
    ("2026-02-28T10:00:00.000Z", "2026-03-28T10:00:00.000Z"),
  ])
  func due(received: String, due: String) throws {
    #expect(try #require(Date(rfc3339: received)).oneMonthLater.rfc3339 == due)
  }
}
