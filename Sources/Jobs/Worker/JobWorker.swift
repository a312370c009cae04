package import Database
package import Logging
import FoundationEssentials
package import Platform
import ServiceLifecycle
import Synchronization
import Tracing

/// Runs jobs: claims them in batches, keeps their leases, writes their outcomes (design section 8).
///
/// ```
/// available ──claim──▶ running ──▶ completed | cancelled   (job_finished)
///     ▲                   │
///     ├── failed, lease expired, handed back
///     └──redrive── dead ◀─┘ out of attempts
/// ```
package struct JobWorker: Service {
  let database: Database
  let settings: JobWorkerSettings
  let clock: WallClock
  let logger: Logger
  let worker: UUID
  let claimer: JobClaimer
  let runner: JobRunner
  let buffer: JobBuffer
  let outcomes: Outcomes
  let held: HeldRegistry
  private let deadRows: DeadRows
  private let counts: JobMetrics
  /// Nil where nobody collects traces.
  private let tracer: SpanRecorder?
  /// Rings when a job may be waiting in the table.
  let bell = Doorbell()
  let beat = Doorbell()

  package init(
    database: Database, handlers: [any JobHandler], settings: JobWorkerSettings, clock: WallClock,
    random: RandomSource, logger: Logger, tracer: SpanRecorder?
  ) {
    self.database = database
    self.settings = settings
    self.tracer = tracer
    counts = JobMetrics(kinds: handlers.map { type(of: $0).kind })
    self.clock = clock
    self.logger = logger
    worker = ID<JobWorker>.generate(clock, random).uuid
    buffer = JobBuffer(limits: settings.limits)
    outcomes = Outcomes()
    held = HeldRegistry()
    deadRows = DeadRows(database: database, logger: logger)
    claimer = JobClaimer(
      database: database, kinds: handlers.map { type(of: $0).limits }, worker: worker,
      leaseSeconds: settings.leaseSeconds, clock: clock)
    runner = JobRunner(
      handlers: Dictionary(
        handlers.map { (type(of: $0).kind, $0) }, uniquingKeysWith: { first, _ in first }),
      backoff: settings.backoff, worker: worker, clock: clock, random: random)
  }

  package var metrics: [MetricFamily] { counts.families(slots: settings.limits.slots) }

  package func run() async throws {
    await withGracefulShutdownHandler {
      await withTaskGroup { group in
        group.addTask { await listen() }
        group.addTask { await claim() }
        group.addTask { await write() }
        group.addTask { await keepLeases() }
        group.addTask { await tick() }
        group.addTask { await deadRows.run() }
        await withTaskCancellationHandler {
          await withTaskExecutorPreference(PatientExecutor.shared) { await work() }
        } onCancel: {
          shutDown()
        }
        group.cancelAll()
      }
      // A claim that was under way when the shutdown began has brought jobs that no slot takes.
      outcomes.add(returned: buffer.close())
      await flush()
    } onGracefulShutdown: {
      shutDown()
    }
  }

  /// Begins the end: what has not begun goes back at once, what runs gets time to finish.
  private func shutDown() {
    let waiting = buffer.close()
    held.release(waiting)
    outcomes.add(returned: waiting)
    held.beginDrain(clock.now())
    bell.ring()
  }

  /// The slots: each takes one job after the other until the buffer is closed.
  private func work() async {
    await withDiscardingTaskGroup { group in
      for _ in 0..<settings.limits.slots {
        group.addTask {
          while let job = await buffer.next() {
            let deadline = clock.now().addingTimeInterval(runner.timeoutSeconds(of: job))
            guard let running = held.begin(job, deadline: deadline) else {
              outcomes.add(job, .lost)
              continue
            }
            let outcome = await counts.measuring(job) { await trace(running) }
            held.end(job)
            log(job, outcome)
            outcomes.add(job, outcome)
          }
        }
      }
    }
  }

  /// Runs the job in a trace of its own, where somebody collects traces.
  private func trace(_ running: RunningJob) async -> JobOutcome {
    guard let tracer else { return await runner.run(running) }
    return await tracer.withSpan(
      "job \(running.job.kind)", context: .topLevel, ofKind: .consumer
    ) { span in
      let outcome = await runner.run(running)
      let end = JobMetrics.End(outcome)
      span.attributes["tenure.job.outcome"] = end.rawValue
      if end == .dead || end == .retried { span.setStatus(SpanStatus(code: .error)) }
      return outcome
    }
  }

  private func claim() async {
    while !Task.isCancelled {
      let room = buffer.room
      guard room > 0 else {
        await buffer.demand.wait(seconds: 1)
        continue
      }
      do {
        let jobs = try await claimer.claim(room)
        if jobs.isEmpty {
          await bell.wait(seconds: settings.pollSeconds)
        } else {
          held.hold(jobs)
          buffer.add(jobs, room: room)
        }
      } catch {
        await pause(after: error, "claim")
      }
    }
  }

  private func write() async {
    while await outcomes.bell.wait() { await flush() }
  }

  private func flush() async {
    let writer = OutcomeWriter(database: database, worker: worker, clock: clock)
    while true {
      let batch = outcomes.take(max: settings.limits.claimMax)
      if batch.isEmpty { return }
      do {
        try await writer.write(batch)
        buffer.settle(batch.count)
        deadRows.add(batch.count)
      } catch {
        outcomes.putBack(batch)
        outcomes.bell.ring()
        await pause(after: error, "outcome")
        return
      }
    }
  }

  /// Heartbeat: longer leases, news of jobs that are lost or to be cancelled, rescue of others' jobs.
  private func keepLeases() async {
    while !Task.isCancelled {
      await beat.wait(seconds: settings.heartbeatSeconds)
      do {
        try await held.keep(with: claimer)
        if try await claimer.rescue() > 0 { bell.ring() }
      } catch {
        await pause(after: error, "heartbeat")
      }
    }
  }

  /// Once a second: time limits, progress, jobs that wait too long for a slot.
  private func tick() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      held.stopOverdue(clock.now(), drainSeconds: settings.drainSeconds)
      let stale = buffer.takeStale()
      held.release(stale)
      outcomes.add(returned: stale)
      do {
        try await held.writeProgress(with: claimer)
      } catch {
        logger.warning("job progress not written", metadata: ["error": "\(error)"])
      }
    }
  }

  private func listen() async {
    let listener = database.listener(on: [JobWakeUp.channel]) { event in
      switch event {
      case .notification(_, ""): break
      // Somebody has cancelled a job, or may have while nobody listened.
      case .notification, .connected, .lost: beat.ring()
      }
      bell.ring()
    }
    // It connects again by itself; while it is lost, polling goes on.
    try? await listener.run()
  }

  private func pause(after error: any Error, _ what: String) async {
    guard !Task.isCancelled else { return }
    logger.error("job \(what) failed", metadata: ["error": "\(String(reflecting: error))"])
    try? await Task.sleep(for: .seconds(1))
  }

  private func log(_ job: ClaimedJob, _ outcome: JobOutcome) {
    guard case .failed(let error, _, let dead) = outcome else { return }
    logger.warning(
      "job failed",
      metadata: [
        "job": "\(job.id)", "kind": "\(job.kind)", "attempt": "\(job.attempt)", "dead": "\(dead)",
        "reason": "\(error)",
      ])
  }
}
