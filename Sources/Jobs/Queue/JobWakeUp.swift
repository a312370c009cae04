package import Database
package import Logging
import ServiceLifecycle

/// Tells the workers of every process that a job waits: a debounced NOTIFY outside user transactions.
///
/// NOTIFY inside a transaction would take a lock shared by the whole server at its commit, so the ring
/// happens after the commit. A ring that is lost costs one polling interval.
package final class JobWakeUp: Service {
  static let channel: Identifier = "tenure_jobs"
  static let cancelMessage = "cancel"

  private let database: Database
  private let logger: Logger
  private let jobs = Doorbell()
  private let cancellations = Doorbell()

  package init(database: Database, logger: Logger) {
    self.database = database
    self.logger = logger
  }

  /// A job waits.
  package func ring() { jobs.ring() }

  /// A running job is to be stopped.
  func ringForCancel() {
    cancellations.ring()
    jobs.ring()
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        guard await self.jobs.wait() else { return }
        await self.notify()
        // One NOTIFY per 5 ms speaks for every job added meanwhile.
        try? await Task.sleep(for: .milliseconds(5))
      }
    }
  }

  /// Passes on what was rung; for a command, which ends where ``run()`` would begin.
  package func flush() async {
    if jobs.answer() { await notify() }
  }

  private func notify() async {
    let message = cancellations.answer() ? Self.cancelMessage : ""
    do {
      _ = try await database.first(Notify(Self.channel, message))
    } catch {
      logger.warning("job wake-up failed", metadata: ["error": "\(error)"])
    }
  }
}
