package import Database
package import FoundationEssentials
package import Platform

/// The durable queue: adding, looking at, cancelling and redriving jobs.
package struct JobQueue: Sendable {
  let database: Database
  let wakeUp: JobWakeUp
  let clock: WallClock
  let random: RandomSource

  package init(
    database: Database, wakeUp: JobWakeUp, clock: WallClock, random: RandomSource
  ) {
    self.database = database
    self.wakeUp = wakeUp
    self.clock = clock
    self.random = random
  }

  /// Adds a job with the caller's transaction and wakes a worker once it has committed.
  ///
  /// Nil when a job of the kind with the same unique key is still waiting or running.
  @discardableResult
  package func enqueue(
    _ job: some Job, organization: UUID?, uniqueKey: String?, in tx: Transaction
  ) async throws -> ID<JobRecord>? {
    let id = ID<JobRecord>.generate(clock, random)
    let now = clock.now()
    let added = try await tx.enqueue(
      job, organization: organization, id: id, now: now, runAt: now, uniqueKey: uniqueKey)
    guard added else { return nil }
    let wakeUp = wakeUp
    tx.onCommit { wakeUp.ring() }
    return id
  }

  /// Adds a job on its own, to run at `runAt` or at once.
  @discardableResult
  package func enqueue(
    _ job: some Job, organization: UUID?, runAt: Date?, uniqueKey: String?
  ) async throws -> ID<JobRecord>? {
    let id = ID<JobRecord>.generate(clock, random)
    let now = clock.now()
    let insert = try InsertJob(
      job, organization: organization, id: id, now: now, runAt: runAt ?? now, uniqueKey: uniqueKey)
    guard try await database.run(insert) == 1 else { return nil }
    wakeUp.ring()
    return id
  }

  /// Adds one job of a kind per organization in one statement.
  package func enqueue<J: Job>(each jobs: [(organization: UUID, job: J)]) async throws {
    try await database.run(
      InsertJobs(
        ids: jobs.map { _ in ID<JobRecord>.generate(clock, random).uuid },
        organizations: jobs.map(\.organization),
        payloads: try jobs.map { try JobPayload.encode($0.job) },
        kind: J.kind, priority: J.options.priority, attemptsMax: J.options.attemptsMax,
        now: clock.now()))
    wakeUp.ring()
  }

  package func find(_ id: ID<JobRecord>) async throws -> JobRecord? {
    try await database.first(FindJob(id: id))
  }

  /// A page of jobs, newest first; `before` is the last id of the page before.
  package func list(
    _ filter: JobFilter, before: ID<JobRecord>?, limit: Int
  ) async throws -> [JobRecord] {
    try await database.all(
      ListJobs(
        state: filter.state?.rawValue, kind: filter.kind, organization: filter.organization,
        before: before ?? .last, limit: limit))
  }

  /// Ends a waiting job, or asks the worker of a running one to stop; false when there is no such job.
  package func cancel(_ id: ID<JobRecord>) async throws -> Bool {
    try await cancel(id) { _ in }
  }

  /// The same; `record` writes what belongs to it in the same transaction.
  package func cancel(
    _ id: ID<JobRecord>, record: @Sendable (Transaction) async throws -> Void
  ) async throws -> Bool {
    try await database.transaction { tx in
      if try await tx.run(CancelWaitingJob(id: id, now: clock.now())) == 0 {
        guard try await tx.run(RequestCancel(id: id)) > 0 else { return false }
        tx.onCommit { [wakeUp] in wakeUp.ringForCancel() }
      }
      try await record(tx)
      return true
    }
  }

  /// Redrives a dead job; false when it is not dead, or another with its unique key is under way.
  package func retry(_ id: ID<JobRecord>) async throws -> Bool {
    try await retry(id) { _ in }
  }

  /// The same; `record` writes what belongs to it in the same transaction.
  package func retry(
    _ id: ID<JobRecord>, record: @Sendable (Transaction) async throws -> Void
  ) async throws -> Bool {
    do {
      return try await database.transaction { tx in
        guard try await tx.run(RedriveJob(id: id, now: clock.now())) > 0 else { return false }
        try await record(tx)
        tx.onCommit { [wakeUp] in wakeUp.ring() }
        return true
      }
    } catch let error as DatabaseError where error.constraint == "job_unique_key" {
      return false
    }
  }
}

/// What a list of jobs is restricted to; nil means any.
package struct JobFilter: Hashable, Sendable {
  package var state: JobState?
  package var kind: String?
  package var organization: UUID?

  package init(state: JobState?, kind: String?, organization: UUID?) {
    self.state = state
    self.kind = kind
    self.organization = organization
  }
}

extension ID where Entity == JobRecord {
  /// After every id there is: the start of a list of the newest first.
  static var last: Self {
    let ones = UInt8.max
    return Self(
      UUID(
        uuid: (
          ones, ones, ones, ones, ones, ones, ones, ones, ones, ones, ones, ones, ones, ones, ones,
          ones
        )))
  }
}
