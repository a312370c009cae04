import FoundationEssentials
import Platform
import Synchronization

/// The jobs a worker holds a lease on: waiting for a slot, or running.
final class HeldRegistry: Sendable {
  private struct State {
    var waiting: [ID<JobRecord>: ClaimedJob] = [:]
    var running: [ID<JobRecord>: RunningJob] = [:]
    var drainingSince: Date?
  }
  private let state = Mutex(State())

  func hold(_ jobs: [ClaimedJob]) {
    state.withLock { state in
      for job in jobs { state.waiting[job.id] = job }
    }
  }

  /// Jobs that go back unbegun.
  func release(_ jobs: [ClaimedJob]) {
    state.withLock { state in
      for job in jobs { state.waiting[job.id] = nil }
    }
  }

  /// Nil when the heartbeat found that the job was lost while it waited.
  func begin(_ job: ClaimedJob, deadline: Date) -> RunningJob? {
    state.withLock { state in
      guard state.waiting.removeValue(forKey: job.id) != nil else { return nil }
      let running = RunningJob(job, deadline: deadline)
      state.running[job.id] = running
      return running
    }
  }

  func end(_ job: ClaimedJob) {
    state.withLock { $0.running[job.id] = nil }
  }

  func beginDrain(_ now: Date) {
    state.withLock { $0.drainingSince = $0.drainingSince ?? now }
  }

  /// Stops jobs that are out of time.
  func stopOverdue(_ now: Date, drainSeconds: Double) {
    let (running, drainingSince) = state.withLock { (Array($0.running.values), $0.drainingSince) }
    let isDrained = drainingSince.map { now.timeIntervalSince($0) >= drainSeconds } ?? false
    for job in running {
      if job.deadline <= now { job.stop(.timeout) }
      if isDrained { job.stop(.shutdown) }
    }
  }

  /// Extends every lease, and stops what is lost or to be cancelled.
  func keep(with claimer: JobClaimer) async throws {
    let (waiting, running) = state.withLock { ($0.waiting, $0.running) }
    guard !waiting.isEmpty || !running.isEmpty else { return }
    let held = try await claimer.extend(Array(waiting.values) + running.values.map(\.job))
    state.withLock { state in
      for id in waiting.keys where held[id] == nil { state.waiting[id] = nil }
    }
    for job in running.values {
      switch held[job.job.id] {
      case .some(true): job.stop(.cancelled)
      case .some(false): break
      case .none: job.stop(.lost)
      }
    }
  }

  func writeProgress(with claimer: JobClaimer) async throws {
    let running = state.withLock { Array($0.running.values) }
    let news = running.compactMap { job in
      job.takeProgress().map { (job: job.job, progress: $0) }
    }
    if news.isEmpty { return }
    let written = try await claimer.write(news)
    for job in running where news.contains(where: { $0.job.id == job.job.id }) {
      if !written.contains(job.job.id) { job.reportAgain() }
    }
  }
}
