import Database
import FoundationEssentials
import Jobs
import Platform
import Tenancy

/// Starts, pauses, resumes and reports rollouts; each with its audit event in the platform's trail.
package struct Rollouts: Sendable {
  let database: Database
  let migrator: Migrator
  let directory: TenantDirectory
  let audit: AuditRecorder
  let queue: JobQueue
  let clock: WallClock
  let random: RandomSource

  private static let failuresShown = 100

  /// Starts a rollout to this release's version, or the one that is open again: the same step resumes it and gives those
  /// that failed another try.
  ///
  /// - Returns: nil where every organization has the version already, at the price of one query.
  package func start(failurePercentMax: Int) async throws -> RolloutReport? {
    let id = ID<Rollout>.generate(clock, random)
    let target = migrator.tenantVersion
    let share = try await database.first(RolloutShare(rollout: id, target: target))
    guard let share, share.pending > 0 else { return nil }
    let rollout = try await recording(.rolloutStarted) { tx in
      let rollout = try await tx.first(
        OpenRollout(
          id: id, target: target, failurePercentMax: failurePercentMax, now: clock.now()))
      guard let rollout else { return nil }
      try await tx.run(ForgetRolloutFailures(rollout: rollout.id))
      // A job that is still running goes on; a second one waits for it and finds nothing to do.
      try await queue.enqueue(
        MigrateOrganizations(rollout: rollout.id), organization: nil, uniqueKey: nil, in: tx)
      return rollout
    }
    guard let rollout else { return nil }
    return try await report(on: rollout)
  }

  /// Has the running rollout end after the organizations it is at.
  ///
  /// - Returns: nil where none runs.
  package func pause() async throws -> RolloutReport? {
    let rollout = try await recording(.rolloutPaused) { tx in
      try await tx.first(PauseRollout(now: clock.now()))
    }
    guard let rollout else { return nil }
    return try await report(on: rollout)
  }

  /// How many organizations have an older version than this release's, and which version that is.
  package func pending() async throws -> (organizations: Int, version: Int) {
    let target = migrator.tenantVersion
    let share = try await database.first(
      RolloutShare(rollout: .generate(clock, random), target: target))
    return (share?.pending ?? 0, target)
  }

  /// The latest rollout; nil where there was none.
  package func report() async throws -> RolloutReport? {
    guard let rollout = try await database.first(LatestRollout()) else { return nil }
    return try await report(on: rollout)
  }

  private func report(on rollout: Rollout) async throws -> RolloutReport {
    let share = try await database.first(RolloutShare(rollout: rollout.id, target: rollout.target))
    let failures = try await database.all(
      RolloutFailures(rollout: rollout.id, limit: Self.failuresShown))
    return RolloutReport(rollout: rollout, pending: share?.pending ?? 0, failures: failures)
  }

  private func recording(
    _ action: AuditAction, _ change: (Transaction) async throws -> Rollout?
  ) async throws -> Rollout? {
    let system = try await directory.find(slug: Tenant.systemSlug)
    return try await database.transaction { tx in
      guard let rollout = try await change(tx) else { return nil }
      if let system {
        try await audit.record(rollout.event(action), in: tx, tenant: system)
      }
      return rollout
    }
  }
}

extension Rollout {
  func event(_ action: AuditAction) -> AuditEvent {
    AuditEvent(
      action, origin: .system, subject: nil,
      detail: [
        "rollout": .string(id.description), "version": .integer(target),
        "migrated": .integer(migrated),
      ])
  }
}

extension AuditAction {
  static let rolloutStarted = AuditAction("rollout.started")
  static let rolloutPaused = AuditAction("rollout.paused")
  static let rolloutStopped = AuditAction("rollout.stopped")
  static let rolloutCompleted = AuditAction("rollout.completed")
}
