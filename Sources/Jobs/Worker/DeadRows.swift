import Database
import Logging
import Synchronization

/// Has Postgres take away in time what jobs leave behind in the table: two dead rows each.
///
/// Autovacuum comes once a minute, and in a minute a busy queue leaves a million, which every claim passes by in the index.
final class DeadRows: Sendable {
  private let database: Database
  private let logger: Logger
  private let jobs = Mutex(0)
  private let bell = Doorbell()
  /// Jobs after which it pays to read the indexes once.
  private static let jobsMax = 50_000

  init(database: Database, logger: Logger) {
    self.database = database
    self.logger = logger
  }

  /// So many jobs have come to an end, or back.
  func add(_ count: Int) {
    let isDue = jobs.withLock { jobs in
      jobs += count
      guard jobs >= Self.jobsMax else { return false }
      jobs = 0
      return true
    }
    if isDue { bell.ring() }
  }

  /// Not while somebody else does, in another process; the length of the file is autovacuum's business, which waits for
  /// a lock that claims would have to wait for, too.
  func run() async {
    while await bell.wait() {
      do {
        try await database.script("vacuum (skip_locked, truncate off) control.job")
      } catch {
        guard !Task.isCancelled else { return }
        logger.warning("jobs not vacuumed", metadata: ["error": "\(String(reflecting: error))"])
      }
    }
  }
}
