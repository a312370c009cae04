import Database
import Foundation
import Platform
import TestSupport
import Testing

@testable import Jobs

@Suite("Design section 8: recurring jobs")
struct JobScheduleTests {
  private func scheduler(_ harness: JobsHarness) -> JobScheduler {
    JobScheduler(
      database: harness.database, wakeUp: harness.wakeUp, handlers: [CountHandler()],
      settings: JobSchedulerSettings(tickSeconds: 0.02, keepFinishedDays: 14),
      clock: harness.clock.clock, random: .system, logger: harness.test.logger)
  }

  private func declare(
    _ harness: JobsHarness, _ cron: String, catchUp: ScheduleCatchUp = .once,
    organization: UUID? = nil
  ) async throws {
    let schedule = JobSchedule(
      calendar: CronCalendar(try CronExpression(cron), timeZone: .gmt), jitterSeconds: 0,
      catchUp: catchUp)
    try await harness.database.transaction { tx in
      try await tx.schedule(
        Count(number: 1), organization: organization, schedule, enabled: true,
        clock: harness.clock.clock, random: .system)
    }
  }

  private let all = JobFilter(state: nil, kind: nil, organization: nil)

  @Test("many schedulers at once add one job per time, while none of the schedule is under way")
  func leader() async throws {
    let harness = try await JobsHarness.fresh()
    // 1_800_000_000 is 2027-01-15T08:00:00Z.
    try await declare(harness, "30 * * * *")
    let schedulers = (0..<4).map { _ in scheduler(harness) }
    #expect(try await schedulers[0].round() == 0)
    harness.clock.advance(bySeconds: 1801)
    let added = try await withThrowingTaskGroup(of: Int.self) { group in
      for scheduler in schedulers { group.addTask { try await scheduler.round() } }
      return try await group.reduce(0, +)
    }
    #expect(added == 1)
    #expect(try await harness.queue.list(all, before: nil, limit: 10).count == 1)
    harness.clock.advance(bySeconds: 3600)
    #expect(try await schedulers[1].round() == 0)
    let id = try #require(try await harness.queue.list(all, before: nil, limit: 10).first?.id)
    #expect(try await harness.queue.cancel(id))
    harness.clock.advance(bySeconds: 3600)
    #expect(try await schedulers[2].round() == 1)
  }

  @Test(
    "times that passed while nobody looked become one job, or none",
    arguments: [(ScheduleCatchUp.once, 1), (.skip, 0)])
  func catchUp(_ policy: ScheduleCatchUp, jobs: Int) async throws {
    let harness = try await JobsHarness.fresh()
    try await declare(harness, "30 * * * *", catchUp: policy)
    harness.clock.advance(bySeconds: 5 * 3600)
    #expect(try await scheduler(harness).round() == jobs)
    #expect(try await scheduler(harness).round() == 0)
    // The next time is 13:30.
    harness.clock.advance(bySeconds: 1799)
    #expect(try await scheduler(harness).round() == 0)
  }

  @Test("declaring a schedule again keeps its place in time; another cron moves it")
  func declareAgain() async throws {
    let harness = try await JobsHarness.fresh()
    try await declare(harness, "30 * * * *")
    harness.clock.advance(bySeconds: 3600)
    try await declare(harness, "30 * * * *")
    #expect(try await scheduler(harness).round() == 1)
    try await declare(harness, "45 * * * *")
    harness.clock.advance(bySeconds: 1801)
    #expect(try await scheduler(harness).round() == 0)
  }

  @Test("the service adds the job and a worker runs it")
  func service() async throws {
    let harness = try await JobsHarness.fresh()
    let organization = UUID()
    try await declare(harness, "* * * * *", organization: organization)
    let handler = CountHandler()
    try await harness.serving([
      harness.wakeUp, scheduler(harness), harness.worker([handler], pollSeconds: 30),
    ]) {
      harness.clock.advance(bySeconds: 61)
      try await eventually { handler.numbers == [1] }
    }
    try await harness.database.transaction { tx in
      try await tx.deleteSchedules(organization: organization)
    }
    harness.clock.advance(bySeconds: 61)
    #expect(try await scheduler(harness).round() == 0)
  }

  @Test("finished jobs lie in the partition of their day, which is dropped when it is old")
  func partitions() async throws {
    let harness = try await JobsHarness.fresh()
    let tidy = FinishedJobs(database: harness.database, keepDays: 14)
    let today = harness.clock.clock.now().unixSeconds / 86400
    try await tidy.tidy(today: today)
    try await tidy.tidy(today: today)
    let names = try await harness.database.all(FinishedPartitions())
    #expect(
      names.contains(FinishedJobs.name(today)) && names.contains(FinishedJobs.name(today + 3)))
    let id = try #require(
      try await harness.queue.enqueue(
        Count(number: 1), organization: nil, runAt: nil, uniqueKey: nil))
    #expect(try await harness.queue.cancel(id))
    #expect(try await harness.queue.find(id)?.state == .cancelled)
    try await tidy.tidy(today: today + 14)
    #expect(try await harness.queue.find(id)?.state == .cancelled)
    try await tidy.tidy(today: today + 15)
    #expect(try await harness.queue.find(id) == nil)
    #expect(
      try await harness.database.all(FinishedPartitions()).contains(FinishedJobs.name(today))
        == false)
  }
}
