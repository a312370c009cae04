package import Platform
import Synchronization

/// Whether this process should be sent requests, and if not, why.
///
/// Made once; the one who shuts the server down calls ``drain()`` first.
package final class Readiness: Sendable {
  private let checks: [HealthCheck]
  private let timeout: Duration
  private let draining = Atomic<Bool>(false)

  /// - Parameters:
  ///   - checks: What the process cannot, or can hardly, do without.
  ///   - timeout: How long a check may take; one that takes longer has failed.
  package init(_ checks: [HealthCheck], timeout: Duration) {
    self.checks = checks
    self.timeout = timeout
  }

  /// From now on the process says that it wants no more requests.
  package func drain() { draining.store(true, ordering: .releasing) }

  package var isDraining: Bool { draining.load(ordering: .acquiring) }

  package func report() async -> ReadinessReport {
    if isDraining { return ReadinessReport(results: [("shutdown", .failed("shutting down"))]) }
    let results = await withTaskGroup(of: (Int, HealthState).self) { group in
      for (index, check) in checks.enumerated() {
        group.addTask { [timeout] in (index, await check.state(within: timeout)) }
      }
      return await group.reduce(into: [Int: HealthState]()) { $0[$1.0] = $1.1 }
    }
    return ReadinessReport(
      results: checks.enumerated().map { ($1.name, results[$0] ?? .failed("not checked")) })
  }
}

/// One thing to look at, such as the database.
package struct HealthCheck: Sendable {
  let name: String
  let look: @Sendable () async -> HealthState

  package init(_ name: String, look: @escaping @Sendable () async -> HealthState) {
    self.name = name
    self.look = look
  }

  fileprivate func state(within timeout: Duration) async -> HealthState {
    await withTaskGroup(of: HealthState?.self) { group in
      group.addTask { await look() }
      group.addTask {
        try? await Task.sleep(for: timeout)
        return nil
      }
      let first = await group.next().flatMap { $0 }
      group.cancelAll()
      if let first { return first }
      // The check itself knows best what it waited for.
      return await group.next().flatMap { $0 } ?? .failed("no answer in time")
    }
  }
}

/// What came of looking; the reason is for operators and holds no data.
package enum HealthState: Sendable, Hashable {
  case ready
  /// It works, but not as well as it should.
  case degraded(String)
  case failed(String)
}

/// The answer to `/readyz`.
package struct ReadinessReport: Sendable {
  let results: [(name: String, state: HealthState)]

  package var isReady: Bool {
    !results.contains { if case .failed = $0.state { true } else { false } }
  }

  package var json: JSON {
    let isWhole = results.allSatisfy { $0.state == .ready }
    return [
      "status": .string(isWhole ? "ready" : isReady ? "degraded" : "unready"),
      "checks": .array(results.map { Self.json($0.name, $0.state) }),
    ]
  }

  private static func json(_ name: String, _ state: HealthState) -> JSON {
    switch state {
    case .ready: ["name": .string(name), "status": "ready"]
    case .degraded(let reason):
      ["name": .string(name), "status": "degraded", "reason": .string(reason)]
    case .failed(let reason):
      ["name": .string(name), "status": "failed", "reason": .string(reason)]
    }
  }
}
