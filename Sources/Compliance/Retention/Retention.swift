import Database
import Foundation
import Jobs
package import Platform
package import Tenancy

/// The retention rules of a tenant: seeded from the declarations, changed, counted and run.
package struct Retention: Sendable {
  let database: Database
  let queue: JobQueue
  let audit: AuditRecorder
  let map: DataMap
  let clock: WallClock
  let random: RandomSource

  // MARK: Rules

  package func rules(in tenant: Tenant) async throws -> [RetentionRule] {
    let stored = try await database.all(ListRules(), in: tenant.schema)
    return map.declarations.flatMap { declaration in
      declaration.retention.compactMap { target in
        stored.first { $0.id == target.id }.map { RetentionRule($0, target, declaration) }
      }
    }
  }

  /// Changes a rule; what is nil stays.
  package func setRule(
    _ id: String, enabled: Bool?, keepDays: Int?, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> RetentionRule {
    guard keepDays.map({ (0...36500).contains($0) }) ?? true else {
      throw RetentionError.invalidDays
    }
    guard let old = try await rules(in: tenant).first(where: { $0.id == id }) else {
      throw RetentionError.unknownRule
    }
    let rule = RetentionRule(
      id: id, table: old.table, action: old.action, isEnabled: enabled ?? old.isEnabled,
      keepDays: keepDays ?? old.keepDays, updatedAt: clock.now())
    try await database.transaction(in: tenant.schema) { tx in
      try await tx.run(
        PutRule(
          id: id, enabled: rule.isEnabled, keepDays: rule.keepDays, now: rule.updatedAt))
      try await audit.record(
        AuditEvent(
          .retentionRuleChanged, origin: origin, subject: nil,
          detail: [
            "rule": .string(id), "enabled": .bool(rule.isEnabled),
            "keep_days": .integer(rule.keepDays),
          ]),
        in: tx, tenant: tenant)
    }
    return rule
  }

  /// The rules of a new tenant and the daily run, in the transaction that provisions it.
  func seed(_ tenant: Tenant, in tx: Transaction) async throws {
    let targets = map.declarations.flatMap(\.retention)
    try await tx.run(
      SeedRules(
        ids: targets.map(\.id), enabled: targets.map(\.enabledByDefault),
        keepDays: targets.map(\.defaultDays), now: clock.now()),
      in: tenant.schema)
    try await tx.schedule(
      RetentionJob(organization: tenant.id, run: nil), organization: tenant.id.uuid,
      try Self.schedule(), enabled: true, clock: clock, random: random)
  }

  /// Once a night, not all tenants at the same time.
  static func schedule() throws -> JobSchedule {
    JobSchedule(
      calendar: CronCalendar(try CronExpression("0 2 * * *"), timeZone: .gmt),
      jitterSeconds: 3 * 3600, catchUp: .once)
  }

  // MARK: Runs

  /// Counts what a run would take away; nothing else is written than the run itself.
  package func dryRun(
    _ channel: RetentionChannel, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> RetentionRun {
    let counts = try await plan(in: tenant)
    let now = clock.now()
    let run = RetentionRun(
      id: .generate(clock, random), isDryRun: true, channel: channel, state: .completed,
      startedAt: now, finishedAt: now, counts: counts)
    try await database.transaction(in: tenant.schema) { tx in
      try await tx.run(InsertRun(run, report: counts))
      try await audit.record(run.event(origin), in: tx, tenant: tenant)
    }
    return run
  }

  /// Starts a run as a job; the counts of the answer are what it is going to take away.
  package func start(
    _ channel: RetentionChannel, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> RetentionRun {
    let counts = try await plan(in: tenant)
    let run = RetentionRun(
      id: .generate(clock, random), isDryRun: false, channel: channel, state: .running,
      startedAt: clock.now(), finishedAt: nil, counts: counts)
    try await database.transaction(in: tenant.schema) { tx in
      try await tx.run(
        InsertRun(
          run, report: counts.map { RetentionCount(rule: $0.rule, table: $0.table, rows: 0) }))
      try await queue.enqueue(
        RetentionJob(organization: tenant.id, run: run.id), organization: tenant.id.uuid,
        uniqueKey: run.id.description, in: tx)
      try await audit.record(run.event(origin), in: tx, tenant: tenant)
    }
    return run
  }

  package func find(_ id: ID<RetentionRun>, in tenant: Tenant) async throws -> RetentionRun? {
    try await database.first(FindRun(id: id), in: tenant.schema)
  }

  /// A page of runs, newest first.
  package func list(
    before: ID<RetentionRun>?, limit: Int, in tenant: Tenant
  ) async throws -> [RetentionRun] {
    try await database.all(ListRuns(before: before, limit: limit), in: tenant.schema)
  }

  /// All counts of one moment.
  private func plan(in tenant: Tenant) async throws -> [RetentionCount] {
    let now = clock.now()
    return try await database.transaction(in: tenant.schema, isolation: .repeatableRead) { tx in
      let engine = try await RetentionEngine.load(map, tenant, now: now, in: tx)
      var counts: [RetentionCount] = []
      for rule in engine.rules {
        let count = rule.declaration.retentionCount(engine.planned(rule))
        let rows = try await tx.first(count) { row in try row.next(Int.self) }
        counts.append(rule.count(rows ?? 0))
      }
      return counts
    }
  }
}

extension RetentionEngine {
  /// The enabled rules of a tenant and the foreign keys of its schema.
  static func load(
    _ map: DataMap, _ tenant: Tenant, now: Date, in tx: Transaction
  ) async throws -> RetentionEngine {
    let stored = try await tx.all(ListRules())
    let keys = try await tx.all(TenantForeignKeys(schema: tenant.schema.name))
    return RetentionEngine(map: map, stored: stored, keys: keys, now: now)
  }
}

extension RetentionRule {
  init(_ stored: StoredRule, _ target: PersonalData.RetentionTarget, _ declaration: PersonalData) {
    self.init(
      id: stored.id, table: declaration.table.name,
      action: target.action == .delete ? "delete" : "erase_subject", isEnabled: stored.isEnabled,
      keepDays: stored.keepDays, updatedAt: stored.updatedAt)
  }
}

extension InsertRun {
  init(_ run: RetentionRun, report: [RetentionCount]) {
    self.init(
      id: run.id, dryRun: run.isDryRun, channel: run.channel, state: run.state,
      now: run.startedAt, finishedAt: run.finishedAt, report: .array(report.map(\.json)))
  }
}

extension RetentionRun {
  func event(_ origin: AuditOrigin) -> AuditEvent {
    AuditEvent(
      .retentionRun, origin: origin, subject: nil,
      detail: [
        "run": .string(id.description), "dry_run": .bool(isDryRun),
        "state": .string(state.rawValue),
        "rows": .integer(counts.reduce(0) { $0 + $1.rows }),
      ])
  }
}
