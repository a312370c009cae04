import Database
import FoundationEssentials
import Jobs
import Platform
import Tenancy

/// Runs the retention rules of one tenant; a run of the schedule has no id yet.
struct RetentionJob: Job {
  static let kind = "privacy.retention"
  static let options = JobOptions(
    attemptsMax: 10, timeoutSeconds: 4 * 3600, priority: 100,
    concurrency: .limited(perKind: 4, perOrganization: 1))

  let organization: TenantID
  let run: ID<RetentionRun>?
}

/// Deletes in batches, each with the count it adds to the report in one transaction.
struct RetentionHandler: JobHandler {
  let database: Database
  let directory: TenantDirectory
  let requests: PrivacyRequests
  let audit: AuditRecorder
  let store: ArchiveStore
  let map: DataMap
  let metrics: RetentionMetrics
  let clock: WallClock

  func run(_ job: RetentionJob, _ context: JobContext) async throws {
    guard let tenant = try await directory.find(id: job.organization) else { return }
    // The run of a scheduled job has the job's id, so that a takeover goes on with it.
    let id = job.run ?? ID<RetentionRun>(context.id.uuid)
    do {
      guard var work = try await begin(id, tenant, isScheduled: job.run == nil) else { return }
      for (done, rule) in work.engine.rules.enumerated() {
        try context.checkCancelled()
        context.progress(done, of: work.engine.rules.count)
        try await apply(rule, &work, tenant, context)
      }
      try await sweepFiles(tenant)
      try await finish(work, tenant, context)
    } catch  where context.isLastFailure(error, of: RetentionJob.self) {
      try await fail(id, tenant, context)
      throw error
    }
  }

  /// The report stays: what it counts has been deleted.
  func fail(_ id: ID<RetentionRun>, _ tenant: Tenant, _ context: JobContext) async throws {
    let now = clock.now()
    try await database.transaction(in: tenant.schema) { tx in
      try await context.fence(tx)
      try await tx.run(FailRun(id: id, now: now))
    }
  }

  /// What a run needs from one batch to the next.
  struct Work {
    let run: RetentionRun
    let engine: RetentionEngine
    var counts: [RetentionCount]

    mutating func add(_ rows: Int, _ rule: DueRule) {
      guard let index = counts.firstIndex(where: { $0.rule == rule.target.id }) else { return }
      counts[index] = rule.count(counts[index].rows + rows)
    }

    /// The report with rows of a batch that has not committed yet.
    func report(adding rows: Int, _ rule: DueRule) -> JSON {
      var copy = self
      copy.add(rows, rule)
      return .array(copy.counts.map(\.json))
    }
  }

  func begin(
    _ id: ID<RetentionRun>, _ tenant: Tenant, isScheduled: Bool
  ) async throws -> Work? {
    let now = clock.now()
    return try await database.transaction(in: tenant.schema) { tx in
      if isScheduled {
        try await tx.run(
          InsertRun(
            id: id, dryRun: false, channel: .schedule, state: .running, now: now,
            finishedAt: nil, report: []))
      }
      guard let run = try await tx.first(FindRun(id: id)), run.state != .completed else {
        return nil
      }
      // Cutoffs count from the start of the run, whoever finishes it.
      let engine = try await RetentionEngine.load(map, tenant, now: run.startedAt, in: tx)
      let counts = engine.rules.map { rule in
        run.counts.first { $0.rule == rule.target.id } ?? rule.count
      }
      return Work(run: run, engine: engine, counts: counts)
    }
  }

  func apply(
    _ rule: DueRule, _ work: inout Work, _ tenant: Tenant, _ context: JobContext
  ) async throws {
    switch rule.target.action {
    case .eraseSubject: try await eraseSubjects(rule, &work, tenant, context)
    case .delete where rule.target.id == ExportPackage.expiredTarget:
      try await deletePackages(rule, &work, tenant, context)
    case .delete: try await delete(rule, &work, tenant, context)
    }
  }

  /// The longest pause after a batch.
  private static let restNanosecondsMax = 500_000_000

  /// Walks the table once from block to block, so that rows already deleted are not read again.
  private func delete(
    _ rule: DueRule, _ work: inout Work, _ tenant: Tenant, _ context: JobContext
  ) async throws {
    let declaration = rule.declaration
    let blocks = try await database.first(declaration.blockCount, in: tenant.schema) { row in
      try row.next(Int.self)
    }
    guard let blocks else { return }
    var window = RetentionWindow()
    while window.start <= blocks {
      try context.checkCancelled()
      let watch = Stopwatch()
      let batch = declaration.retentionBatch(window, work.engine.due(rule))
      let (run, current) = (work.run, work)
      let rows = try await database.transaction(in: tenant.schema) { tx in
        let rows = try await tx.run(batch)
        if rows > 0 {
          try await context.fence(tx)
          try await tx.run(
            UpdateRun(
              id: run.id, state: .running, finishedAt: nil,
              report: current.report(adding: rows, rule)))
        }
        return rows
      }
      work.add(rows, rule)
      metrics.note(rows, rule)
      window.advance(afterDeleting: rows)
      // Clean-up takes a sixth of the time, or more where a batch takes long, so that those who sign in hardly wait for it;
      // time spent waiting for a lock is no work to rest from.
      let rest = min(5 * watch.nanoseconds, Self.restNanosecondsMax)
      if window.start <= blocks { try await Task.sleep(for: .nanoseconds(rest)) }
    }
  }

  /// Packages go with their files: first the file, so that none is left without its row.
  private func deletePackages(
    _ rule: DueRule, _ work: inout Work, _ tenant: Tenant, _ context: JobContext
  ) async throws {
    while true {
      try context.checkCancelled()
      let expired = try await database.all(
        ExpiredPackages(before: rule.cutoff, limit: 500), in: tenant.schema)
      if expired.isEmpty { return }
      for package in expired { try store.delete(package, in: tenant.id) }
      let (run, current) = (work.run, work)
      let rows = try await database.transaction(in: tenant.schema) { tx in
        let rows = try await tx.run(DeletePackages(ids: expired))
        try await context.fence(tx)
        try await tx.run(
          UpdateRun(
            id: run.id, state: .running, finishedAt: nil,
            report: current.report(adding: rows, rule)))
        return rows
      }
      work.add(rows, rule)
      metrics.note(rows, rule)
    }
  }

  /// Inactive accounts are erased by requests of their own, with all that belongs to an erasure.
  private func eraseSubjects(
    _ rule: DueRule, _ work: inout Work, _ tenant: Tenant, _ context: JobContext
  ) async throws {
    guard let subject = rule.declaration.subject else { return }
    while true {
      try context.checkCancelled()
      let due = rule.declaration.retentionSubjects(subject, work.engine.due(rule), limit: 100)
      let users = try await database.all(due, in: tenant.schema) { row in
        try row.next(UserID.self)
      }
      if users.isEmpty { return }
      for user in users {
        try context.checkCancelled()
        try await eraseSubject(user, rule, &work, tenant, context)
      }
    }
  }

  /// One transaction for each: it holds locks that people who sign in wait for.
  private func eraseSubject(
    _ user: UserID, _ rule: DueRule, _ work: inout Work, _ tenant: Tenant, _ context: JobContext
  ) async throws {
    guard let subject = rule.declaration.subject else { return }
    let condition: ComposedSQL = "t.\(subject) = \(bind: user) and \(work.engine.due(rule))"
    let still = rule.declaration.retentionSubjects(subject, condition, limit: 1)
    let (run, current) = (work.run, work)
    let rows = try await database.transaction(in: tenant.schema) { tx in
      let isDue = try await tx.first(still) { row in try row.next(UserID.self) } != nil
      guard isDue else { return 0 }
      try await requests.open(
        .erasure, subject: user, channel: .retention, in: tx, tenant: tenant, origin: .system)
      try await context.fence(tx)
      try await tx.run(
        UpdateRun(
          id: run.id, state: .running, finishedAt: nil, report: current.report(adding: 1, rule)))
      return 1
    }
    work.add(rows, rule)
    metrics.note(rows, rule)
  }

  /// Removes files that belong to no package and to no export under way.
  private func sweepFiles(_ tenant: Tenant) async throws {
    let files = try store.packages(of: tenant.id)
    guard !files.isEmpty else { return }
    let known = Set(
      try await database.all(KnownPackages(ids: files.map(\.uuid)), in: tenant.schema))
    for file in files where !known.contains(file.uuid) { try store.delete(file, in: tenant.id) }
  }

  func finish(_ work: Work, _ tenant: Tenant, _ context: JobContext) async throws {
    let now = clock.now()
    let run = RetentionRun(
      id: work.run.id, isDryRun: false, channel: work.run.channel, state: .completed,
      startedAt: work.run.startedAt, finishedAt: now, counts: work.counts)
    try await database.transaction(in: tenant.schema) { tx in
      try await context.fence(tx)
      try await tx.run(
        UpdateRun(
          id: run.id, state: .completed, finishedAt: now, report: .array(run.counts.map(\.json))))
      try await audit.record(run.event(.system), in: tx, tenant: tenant)
    }
  }
}

/// A range of blocks of a table, as wide as makes a batch of 1,500 to 4,500 rows: some milliseconds of work where they are in memory.
///
/// Batches of a third of that cost twice as much for each row, and nobody was seen to wait less.
struct RetentionWindow: Hashable, Sendable {
  private(set) var start = 0
  private(set) var width = 8

  static let widthMax = 512

  var end: Int { start + width }

  mutating func advance(afterDeleting rows: Int) {
    start = end
    if rows < 1500 { width = min(width * 2, Self.widthMax) }
    // What is dense after a gap is cut to size at once.
    if rows > 4500 { width = max(width * 3000 / rows, 1) }
  }
}

/// What retention takes away, by the rule's target.
struct RetentionMetrics: Sendable {
  private let rows = Series(valuesMax: 256) { Counter() }

  func note(_ rows: Int, _ rule: DueRule) { self.rows[rule.target.id].add(rows) }

  var families: [MetricFamily] {
    [
      .counter(
        "tenure_retention_rows_total",
        "Rows deleted, or accounts given to erasure, by retention rules.", by: "target", rows)
    ]
  }
}
