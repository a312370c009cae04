package import Database
package import Foundation
package import Logging
package import Platform
import ServiceLifecycle

/// Turns recurring jobs into jobs when they are due, and keeps the table of finished jobs short.
///
/// Every process runs one; an advisory lock makes one of them the leader for the length of a
/// transaction, so there is no leadership that a dead process could keep.
package struct JobScheduler: Service {
  let database: Database
  let wakeUp: JobWakeUp
  /// The options of the kinds that can be scheduled.
  let options: [String: JobOptions]
  let settings: JobSchedulerSettings
  let partitions: FinishedJobs
  let clock: WallClock
  let random: RandomSource
  let logger: Logger
  /// How many jobs a round has added.
  package var rounds = TestSignal<Int>.inert

  package init(
    database: Database, wakeUp: JobWakeUp, handlers: [any JobHandler],
    settings: JobSchedulerSettings, clock: WallClock, random: RandomSource, logger: Logger
  ) {
    options = Dictionary(
      handlers.map { (type(of: $0).kind, type(of: $0).options) },
      uniquingKeysWith: { first, _ in first })
    self.database = database
    self.wakeUp = wakeUp
    self.settings = settings
    self.clock = clock
    self.random = random
    self.logger = logger
    partitions = FinishedJobs(database: database, keepDays: settings.keepFinishedDays)
  }

  private static let unknownKind = JobOptions(
    attemptsMax: 10, timeoutSeconds: 3600, priority: 100, concurrency: .unlimited)

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var tidiedOn: Int?
      while !Task.isCancelled {
        let today = clock.now().unixSeconds / 86400
        do {
          let added = try await round()
          if added > 0 { wakeUp.ring() }
          rounds.signal(added)
          if tidiedOn != today {
            try await partitions.tidy(today: today)
            tidiedOn = today
          }
        } catch  where !Task.isCancelled {
          logger.error("job schedule failed", metadata: ["error": "\(String(reflecting: error))"])
        } catch {}
        try? await Task.sleep(for: .seconds(settings.tickSeconds))
      }
    }
  }

  /// One round as the leader; how many jobs it added.
  func round() async throws -> Int {
    let now = clock.now()
    return try await database.transaction { tx in
      guard try await tx.first(LeadSchedules()) == true else { return 0 }
      var added = 0
      for due in try await tx.all(DueSchedules(now: now, limit: 500)) {
        guard let schedule = due.schedule,
          let next = schedule.next(after: now, organization: due.organization, kind: due.kind)
        else {
          try await tx.run(DisableSchedule(id: due.id))
          continue
        }
        let runs = due.runs(at: now)
        if runs { added += try await tx.run(insert(due, now: now)) }
        try await tx.run(
          AdvanceSchedule(id: due.id, nextRunAt: next, lastRunAt: runs ? now : nil))
      }
      return added
    }
  }

  /// One job at a time: while the last one of the schedule is waiting or running, no other is added.
  private func insert(_ due: DueSchedule, now: Date) -> InsertJob {
    let options = options[due.kind] ?? Self.unknownKind
    return InsertJob(
      id: ID<JobRecord>.generate(clock, random), organization: due.organization, kind: due.kind,
      payload: due.payload, priority: options.priority, runAt: now,
      attemptsMax: options.attemptsMax, uniqueKey: "schedule:\(ID<DueSchedule>(due.id))", now: now)
  }
}

/// How often the scheduler looks, and how long finished jobs are kept.
package struct JobSchedulerSettings: Sendable {
  package let tickSeconds: Double
  package let keepFinishedDays: Int

  package init(tickSeconds: Double, keepFinishedDays: Int) {
    self.tickSeconds = tickSeconds
    self.keepFinishedDays = keepFinishedDays
  }

  package init(_ read: inout SettingsReader) {
    let days = read.value(
      "JOB_KEEP_DAYS", default: 14, in: 1...3650, "Days that finished jobs stay in the list.")
    self.init(tickSeconds: 1, keepFinishedDays: days)
  }
}

extension Transaction {
  /// Declares a recurring job of an organization, or of the platform; one per kind and organization.
  package func schedule<J: Job>(
    _ job: J, organization: UUID?, _ schedule: JobSchedule, enabled: Bool, clock: WallClock,
    random: RandomSource
  ) async throws {
    let now = clock.now()
    guard let next = schedule.next(after: now, organization: organization, kind: J.kind) else {
      throw CronError(field: .dayOfMonth)
    }
    _ = try await platform(
      PutSchedule(
        id: UUID.version7(at: now, random: random), organization: organization, kind: J.kind,
        payload: try JobPayload.encode(job), cron: schedule.calendar.expression.text,
        timeZone: schedule.calendar.timeZone.identifier, jitterSeconds: schedule.jitterSeconds,
        catchUp: schedule.catchUp, enabled: enabled, nextRunAt: next, now: now))
  }

  /// Removes the recurring jobs of an organization that goes away.
  package func deleteSchedules(organization: UUID) async throws {
    _ = try await platform(DeleteSchedules(organization: organization))
  }
}
