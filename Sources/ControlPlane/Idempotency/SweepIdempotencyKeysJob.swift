package import Database
package import Jobs
package import Platform

/// Forgets expired idempotency keys, once an hour.
package struct SweepIdempotencyKeys: Job {
  package static let kind = "platform.sweep_idempotency_keys"
  package static let options = JobOptions(
    attemptsMax: 5, timeoutSeconds: 300, priority: 200,
    concurrency: .limited(perKind: 1, perOrganization: 1))

  package init() {}
}

package struct SweepIdempotencyKeysHandler: JobHandler {
  let database: Database
  let clock: WallClock

  static let batchRows = 5000

  package init(database: Database, clock: WallClock) {
    self.database = database
    self.clock = clock
  }

  package func run(_ payload: SweepIdempotencyKeys, _ context: JobContext) async throws {
    while true {
      try context.checkCancelled()
      let deleted = try await database.run(
        DeleteExpiredIdempotencyKeys(now: clock.now(), limit: Self.batchRows))
      if deleted < Self.batchRows { return }
    }
  }
}
