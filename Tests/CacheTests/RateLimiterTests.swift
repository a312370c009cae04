import FoundationEssentials
import Platform
import Testing

@testable import Cache

@Suite("What metrics say of limits")
struct RateLimiterTests {
  @Test("checks that were passed, and refusals by the limit that refused")
  func counts() async {
    let time = ManualClock(Date(timeIntervalSince1970: 1_800_000_000))
    let limiter = RateLimiter(shared: nil, capacity: 100, clock: time.clock)
    let (client, tenant) = (charge(.client, "a", 1, 2), charge(.tenant, "b", 1, 1))
    for charges in [[client, tenant], [client], [client], [client, tenant], [tenant], []] {
      _ = await limiter.take(charges)
    }
    let text = String(decoding: MetricsRegistry(limiter.metrics).exposition(), as: UTF8.self)
    for line in [
      "tenure_limits_passed_total 2", "tenure_limits_refused_total{limit=\"client\"} 2",
      "tenure_limits_refused_total{limit=\"tenant\"} 1",
    ] { #expect(text.contains("\n\(line)\n"), "\(line) is not in\n\(text)") }
  }
}
