package import Database
import FoundationEssentials
package import Logging
package import Platform
import ServiceLifecycle
import Synchronization

/// Looks every now and then what the queue holds, for everybody's metrics.
///
/// A scrape reads the last look and never waits for Postgres. After a look that failed there is nothing to tell.
package final class JobCensus: Service {
  private let database: Database
  private let clock: WallClock
  private let logger: Logger
  private let last = Mutex<[JobCount]>([])
  private static let interval = Duration.seconds(15)

  package init(database: Database, clock: WallClock, logger: Logger) {
    self.database = database
    self.clock = clock
    self.logger = logger
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown { [self] in
      while !Task.isCancelled {
        await look()
        try? await Task.sleep(for: Self.interval)
      }
    }
  }

  func look() async {
    do {
      let counts = try await database.all(CountJobs(now: clock.now()))
      last.withLock { $0 = counts }
    } catch {
      last.withLock { $0 = [] }
      guard !Task.isCancelled else { return }
      logger.debug("jobs not counted", metadata: ["error": "\(String(reflecting: error))"])
    }
  }

  package var metrics: [MetricFamily] {
    [
      MetricFamily(
        "tenure_jobs_queued", "Jobs in the queue of the whole deployment, by kind and state.",
        .gauge, by: ["kind", "state"]
      ) { [self] in
        last.withLock { $0 }.map { MetricSample($0.count, $0.kind, $0.state) }
      },
      MetricFamily(
        "tenure_jobs_oldest_due_seconds",
        "How long the job has been due that waits longest, by kind.", .gauge, by: ["kind"]
      ) { [self] in
        last.withLock { $0 }.filter { $0.state == "available" }
          .map { MetricSample(.real($0.oldestSeconds), $0.kind) }
      },
    ]
  }
}

/// How many jobs of a kind are in a state; `scheduled` are those that are not due yet.
struct JobCount: Sendable, Hashable {
  let kind: String
  let state: String
  let count: Int
  let oldestSeconds: Double
}
