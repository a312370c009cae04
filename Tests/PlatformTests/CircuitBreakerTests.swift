import Foundation
import Platform
import Testing

@Suite("Circuit breaker")
struct CircuitBreakerTests {
  static let start = Date(timeIntervalSince1970: 1_800_000_000)

  @Test(
    "opens after so many failures in a row, lets one through after the pause, closes when it is well"
  )
  func cycle() {
    var breaker = CircuitBreaker(failuresMax: 3, pauseSeconds: 10)
    func admits(at seconds: Double) -> Bool { breaker.admits(now: Self.start + seconds) }
    for outcome in [CircuitBreaker.Outcome.failed, .failed, .healthy, .failed, .undecided, .failed]
    {
      #expect(admits(at: 0))
      breaker.record(outcome, now: Self.start)
    }
    #expect(breaker.isClosed)
    breaker.record(.failed, now: Self.start)
    #expect(!breaker.isClosed)
    #expect(!admits(at: 9.9))
    #expect(admits(at: 10))
    #expect(!admits(at: 10))
    // The probe came to nothing by our doing: another may go at once.
    breaker.record(.undecided, now: Self.start + 10)
    #expect(admits(at: 10))
    breaker.record(.failed, now: Self.start + 10)
    #expect(!admits(at: 19.9))
    #expect(admits(at: 20))
    breaker.record(.healthy, now: Self.start + 20)
    #expect(breaker.isClosed)
  }
}

@Suite("Single flight")
struct SingleFlightTests {
  @Test("when the first caller is cancelled the next takes over")
  func handOver() async throws {
    let flights = SingleFlight<String, Int>()
    let started = TestSignal<Int>.armed()
    let joined = TestSignal<Void>.armed()
    try await withThrowingTaskGroup(of: Int.self) { group in
      await withTaskGroup(of: Void.self) { first in
        first.addTask {
          await #expect(throws: CancellationError.self) {
            try await flights.value(for: "a") {
              started.signal(1)
              try await Task.sleep(for: .seconds(600))
              return 1
            }
          }
        }
        _ = try? await started.wait()
        group.addTask {
          joined.signal()
          return try await flights.value(for: "a") {
            started.signal(2)
            return 2
          }
        }
        try? await joined.wait()
        first.cancelAll()
      }
      let value = try await group.next()
      #expect(value == 2)
    }
    #expect(try await started.wait() == 2)
  }
}
