import Database
import FoundationEssentials
package import Jobs
import Platform
import Tenancy

/// Brings the organizations to the version of a rollout, wave by wave.
package struct MigrateOrganizations: Job {
  package static let kind = "platform.migrate_organizations"
  package static let options = JobOptions(
    attemptsMax: 100, timeoutSeconds: 6 * 3600, priority: 50,
    concurrency: .limited(perKind: 1, perOrganization: 1))

  let rollout: ID<Rollout>
}

/// One job for all of them: what is done is in the organizations' rows, so that another worker goes on where one ended.
struct RolloutHandler: JobHandler {
  let database: Database
  let migrator: Migrator
  let directory: TenantDirectory
  let audit: AuditRecorder
  let clock: WallClock

  /// Organizations migrated at the same time.
  private static let parallelMax = 4

  func run(_ payload: MigrateOrganizations, _ context: JobContext) async throws {
    while true {
      try context.checkCancelled()
      guard let rollout = try await database.first(LockRollout(id: payload.rollout)),
        rollout.state == .running
      else { return }
      guard rollout.target <= migrator.tenantVersion else { throw OlderRelease() }
      let batch = try await database.all(
        PendingOrganizations(
          rollout: rollout.id, target: rollout.target, limit: rollout.batchSize))
      let failures = try await migrate(batch, context)
      guard
        try await settle(rollout, tried: batch.count, failures, context) == .running
      else { return }
    }
  }

  private typealias Failure = (organization: UUID, error: String)

  /// Each by itself, some at a time; what fails does not keep the others.
  private func migrate(_ batch: [PendingOrganizations.Row], _ context: JobContext) async throws
    -> [Failure]
  {
    try await withThrowingTaskGroup(of: Failure?.self) { group in
      var failures: [Failure] = []
      for (index, organization) in batch.enumerated() {
        if index >= Self.parallelMax, let failure = try await group.next() ?? nil {
          failures.append(failure)
        }
        try context.checkCancelled()
        group.addTask { try await failure(of: organization) }
      }
      for try await failure in group { if let failure { failures.append(failure) } }
      return failures
    }
  }

  private func failure(of organization: PendingOrganizations.Row) async throws -> Failure? {
    do {
      guard let schema = TenantSchema(organization.schema) else {
        return (organization.id, "malformed schema name")
      }
      try await migrator.migrateTenant(organization: organization.id, schema: schema)
      return nil
    } catch let error as DatabaseError where error.isUnavailable {
      // Nobody's fault: the job is tried again.
      throw error
    } catch let error as CancellationError {
      throw error
    } catch {
      return (organization.id, RolloutFailure.sentence(error))
    }
  }

  /// Writes down how the wave went, and decides what comes next; a pause that came meanwhile stays.
  private func settle(
    _ rollout: Rollout, tried: Int, _ failures: [Failure], _ context: JobContext
  ) async throws -> Rollout.State {
    let system = try await directory.find(slug: Tenant.systemSlug)
    let (state, migrated, pending) = try await database.transaction { tx in
      try await context.fence(tx)
      let now = clock.now()
      try await tx.run(
        RecordRolloutFailures(
          rollout: rollout.id, organizations: failures.map(\.organization),
          errors: failures.map(\.error), now: now))
      guard let current = try await tx.first(LockRollout(id: rollout.id)),
        let share = try await tx.first(
          RolloutShare(rollout: rollout.id, target: rollout.target))
      else { throw CancellationError() }
      let migrated = current.migrated + tried - failures.count
      let state =
        if current.state != .running {
          current.state
        } else if share.pending == share.failed {
          Rollout.finalState(failed: share.failed)
        } else {
          current.state(migrated: migrated, failed: share.failed)
        }
      try await tx.run(
        AdvanceRollout(
          id: rollout.id, state: state, waves: tried > 0 ? 1 : 0,
          migrated: tried - failures.count, now: now))
      let action: AuditAction? =
        switch state {
        case .completed: .rolloutCompleted
        case .stopped where current.state == .running: .rolloutStopped
        case .running, .paused, .stopped: nil
        }
      if let action, let system {
        try await audit.record(current.event(action), in: tx, tenant: system)
      }
      return (state, migrated, share.pending)
    }
    context.progress(migrated, of: migrated + pending)
    return state
  }
}

/// The rollout is to a version that only a newer release knows; a worker of that one takes over.
struct OlderRelease: JobFailure {
  let sentence = "The rollout needs a newer release."
  let canRetry = true
}
