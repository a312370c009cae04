import Database
import FoundationEssentials
import Platform
import Synchronization

/// Outcomes of jobs, written in batches: while one batch is on its way, the next one gathers.
final class Outcomes: Sendable {
  struct Entry: Sendable {
    let job: ClaimedJob
    let outcome: JobOutcome
  }
  private let entries = Mutex<[Entry]>([])
  let bell = Doorbell()

  func add(_ job: ClaimedJob, _ outcome: JobOutcome) {
    entries.withLock { $0.append(Entry(job: job, outcome: outcome)) }
    bell.ring()
  }

  func add(returned jobs: [ClaimedJob]) {
    guard !jobs.isEmpty else { return }
    entries.withLock { $0 += jobs.map { Entry(job: $0, outcome: .returned) } }
    bell.ring()
  }

  /// The oldest entries, up to a batch.
  func take(max: Int) -> [Entry] {
    entries.withLock { entries in
      let batch = Array(entries.prefix(max))
      entries.removeFirst(batch.count)
      return batch
    }
  }

  /// Puts entries back that could not be written.
  func putBack(_ batch: [Entry]) { entries.withLock { $0 = batch + $0 } }
}

/// Writes batches of outcomes; each statement touches only jobs that are still this worker's.
struct OutcomeWriter: Sendable {
  let database: Database
  let worker: UUID
  let clock: WallClock

  /// All or nothing: a batch that could not be written is written again.
  func write(_ batch: [Outcomes.Entry]) async throws {
    // A job that came back to this worker after its lease ran out may be here twice; its last attempt counts.
    let batch = Dictionary(batch.map { ($0.job.id, $0) }) {
      $0.job.attempt > $1.job.attempt ? $0 : $1
    }
    .map(\.value)
    try await database.transaction { tx in
      _ = try await tx.first(PlanAfresh())
      try await finish(batch, in: tx)
      try await fail(batch, in: tx)
      try await giveBack(batch, in: tx)
    }
  }

  private func finish(_ batch: [Outcomes.Entry], in tx: Transaction) async throws {
    let ended = batch.filter { $0.outcome == .completed || $0.outcome == .cancelled }
    guard !ended.isEmpty else { return }
    try await tx.run(
      FinishJobs(
        ids: ended.map(\.job.id.uuid), attempts: ended.map(\.job.attempt),
        states: ended.map {
          ($0.outcome == .completed ? JobState.completed : JobState.cancelled).rawValue
        },
        worker: worker, now: clock.now()))
  }

  private func fail(_ batch: [Outcomes.Entry], in tx: Transaction) async throws {
    var statement = FailJobs(
      ids: [], attempts: [], runAts: [], deads: [], errors: [], worker: worker)
    for entry in batch {
      guard case .failed(let error, let runAt, let dead) = entry.outcome else { continue }
      statement.ids.append(entry.job.id.uuid)
      statement.attempts.append(entry.job.attempt)
      statement.runAts.append(runAt)
      statement.deads.append(dead)
      statement.errors.append(error)
    }
    if !statement.ids.isEmpty { try await tx.run(statement) }
  }

  private func giveBack(_ batch: [Outcomes.Entry], in tx: Transaction) async throws {
    let returned = batch.filter { $0.outcome == .returned }
    guard !returned.isEmpty else { return }
    try await tx.run(
      ReturnJobs(
        ids: returned.map(\.job.id.uuid), attempts: returned.map(\.job.attempt), worker: worker))
  }
}
