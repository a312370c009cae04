import Foundation
import Platform
import Testing

@Suite("IP addresses and networks")
struct NetworkTests {
  @Test(
    "read and written",
    arguments: [
      ("0.0.0.0", "0.0.0.0"), ("192.168.1.254", "192.168.1.254"), ("::", "0:0:0:0:0:0:0:0"),
      ("::1", "0:0:0:0:0:0:0:1"), ("1::", "1:0:0:0:0:0:0:0"),
      ("2001:DB8::A:1", "2001:db8:0:0:0:0:a:1"),
      ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
      ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("::ffff:1.2.3.4", "0:0:0:0:0:ffff:102:304"),
      ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ])
  func reads(_ text: String, _ expected: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.description == expected)
    #expect(IPAddress(expected) == address)
  }

  @Test(
    "other spellings are refused",
    arguments: [
      "", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1.2.3.-4", "1.2.3.+4", " 1.2.3.4",
      "0x7f.0.0.1", "1..2.3", ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3",
      "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "::1.2.3", "1.2.3.4::",
      "1:2:3:4:5:6:7:1.2.3.4", "::1%lo", "[::1]", ":1::", "1::1:", "+1::", "٣::",
    ])
  func refuses(_ text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test("networks contain what their prefix says")
  func networks() throws {
    let network: IPNetwork = "10.16.0.0/12"
    for text in ["10.16.0.0", "10.31.255.255"] {
      #expect(network.contains(try #require(IPAddress(text))))
    }
    for text in ["10.15.255.255", "10.32.0.0", "::10.16.0.0"] {
      #expect(!network.contains(try #require(IPAddress(text))))
    }
    #expect(("0.0.0.0/0" as IPNetwork).contains(.v4(.max)))
    #expect(("::/0" as IPNetwork).contains(.v6(.max)))
    #expect(("::1" as IPNetwork).contains(.v6(1)))
    for wrong in ["10.0.0.1/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "::/129", "/8", "a/8"] {
      #expect(IPNetwork(wrong) == nil, "\(wrong)")
    }
  }
}

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
