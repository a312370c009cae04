import JOSE
import Testing

@testable import TenantRuntime

@Suite("OpenID Connect Core 3.1.3.6: at_hash")
struct IDTokenTests {
  /// The example of OpenID Connect Core appendix A.3.
  @Test func vector() {
    #expect(
      IDToken.hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", .rs256)
        == "77QmUPtjPfzWtF2AnpK9RQ")
  }

  @Test func lengths() {
    #expect(IDToken.hash("x", .es256).utf8.count == 22)
    #expect(IDToken.hash("x", .es384).utf8.count == 32)
    #expect(IDToken.hash("x", .edDSA).utf8.count == 43)
  }
}
