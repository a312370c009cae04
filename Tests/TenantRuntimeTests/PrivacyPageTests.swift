import FoundationEssentials
import Testing

@testable import TenantRuntime

@Suite("Our policy: words on the privacy page")
struct PrivacyPageTests {
  @Test(arguments: [
    (0.0, "1 January 1970"), (951_782_400, "29 February 2000"), (1_795_305_599, "21 November 2026"),
  ])
  func days(seconds: Double, text: String) {
    #expect(Date(timeIntervalSince1970: seconds).pageDay == text)
  }

  @Test(arguments: [("given_name", "Given name"), ("zoneinfo", "Time zone"), ("email", "E-mail")])
  func labels(claim: String, label: String) {
    #expect(PersonFacts.label(claim) == label)
  }
}
