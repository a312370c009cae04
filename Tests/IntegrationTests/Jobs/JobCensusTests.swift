import Database
import FoundationEssentials
import Platform
import TestSupport
import Testing

@testable import Jobs

@Suite("What metrics say of jobs")
struct JobCensusTests {
  private static func text(_ families: [MetricFamily]) -> String {
    String(decoding: MetricsRegistry(families).exposition(), as: UTF8.self)
  }

  @Test("the queue by kind and state, and how long the oldest has been due")
  func census() async throws {
    let harness = try await JobsHarness.fresh()
    let (queue, now) = (harness.queue, harness.clock.clock.now())
    for (number, delay) in [-90.0, -10, 3600].enumerated() {
      try await queue.enqueue(
        Count(number: number), organization: number == 0 ? UUID() : nil,
        runAt: now.addingTimeInterval(delay), uniqueKey: nil)
    }
    try await queue.enqueue(
      Fail(isPermanent: true), organization: nil, runAt: nil, uniqueKey: nil)
    let worker = harness.worker([FailHandler()])
    try await harness.serving([worker]) {
      try await eventually {
        try await harness.queue.list(
          JobFilter(state: .dead, kind: nil, organization: nil), before: nil, limit: 1
        ).count == 1
      }
    }
    let census = JobCensus(
      database: harness.database, clock: harness.clock.clock, logger: harness.test.logger)
    #expect(!Self.text(census.metrics).contains("kind="))
    await census.look()
    let text = Self.text(census.metrics)
    for line in [
      "tenure_jobs_queued{kind=\"\(Count.kind)\",state=\"available\"} 2",
      "tenure_jobs_queued{kind=\"\(Count.kind)\",state=\"scheduled\"} 1",
      "tenure_jobs_queued{kind=\"\(Fail.kind)\",state=\"dead\"} 1",
      "tenure_jobs_oldest_due_seconds{kind=\"\(Count.kind)\"} 90",
    ] { #expect(text.contains("\n\(line)\n"), "\(line) is not in\n\(text)") }

    let ran = Self.text(worker.metrics)
    for line in [
      "tenure_jobs_started_total{kind=\"\(Fail.kind)\"} 1",
      "tenure_jobs_ended_total{kind=\"\(Fail.kind)\",outcome=\"dead\"} 1",
      "tenure_jobs_ended_total{kind=\"\(Fail.kind)\",outcome=\"completed\"} 0",
      "tenure_job_duration_seconds_count{kind=\"\(Fail.kind)\"} 1",
      "tenure_jobs_running 0", "tenure_job_slots 4",
    ] { #expect(ran.contains("\n\(line)\n"), "\(line) is not in\n\(ran)") }
  }
}
