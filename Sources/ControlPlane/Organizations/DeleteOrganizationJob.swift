import Compliance
import Database
import FoundationEssentials
package import Jobs
import Platform
package import Tenancy

/// Removes what a deleted organization had: schema, role, keys, archives, schedules.
package struct DeleteOrganization: Job {
  package static let kind = "organization.delete"
  package static let options = JobOptions(
    attemptsMax: 20, timeoutSeconds: 900, priority: 50,
    concurrency: .limited(perKind: 4, perOrganization: 1))

  let organization: TenantID

  package init(organization: TenantID) {
    self.organization = organization
  }
}

/// Every step can be repeated; the last one, in one transaction, marks the organization deleted.
package struct DeleteOrganizationHandler: JobHandler {
  let database: Database
  let directory: TenantDirectory
  let migrator: Migrator
  let audit: AuditRecorder
  let queue: JobQueue
  let compliance: Compliance
  let clock: WallClock

  package func run(_ payload: DeleteOrganization, _ context: JobContext) async throws {
    let id = payload.organization
    guard let organization = try await database.first(FindOrganization(id: id, slug: nil)) else {
      return
    }
    // An earlier attempt may have come no further than the commit.
    if organization.status == .deleted { return try compliance.store.deleteAll(of: id) }
    guard organization.status == .deleting else { return }
    try await cancelOtherJobs(of: id, but: context.id)
    try compliance.store.deleteAll(of: id)
    guard let system = try await directory.find(slug: Tenant.systemSlug) else { return }
    try await database.transaction { tx in
      try await context.fence(tx)
      try await tx.script(migrator.removalScript(for: TenantSchema(id: id.uuid)))
      try await compliance.deprovision(id, in: tx)
      try await tx.run(DeleteTenantKeys(organization: id))
      try await tx.run(DeleteIdempotencyKeys(organization: id))
      let now = clock.now()
      let deleted = try await tx.first(
        SetOrganizationStatus(id: id, status: .deleted, deletedAt: now, now: now))
      try await directory.announceChange(of: id, in: tx)
      try await audit.record(
        AuditEvent(
          .organizationDeleted, origin: .system, subject: nil,
          detail: (deleted ?? organization).auditDetail),
        in: tx, tenant: system)
    }
    // The drop has waited for exports that were being written: what they left goes now, and no more can come.
    try compliance.store.deleteAll(of: id)
  }

  /// Whatever else was to be done for the organization has lost its object.
  private func cancelOtherJobs(of id: TenantID, but own: ID<JobRecord>) async throws {
    let pageSize = 200
    for state in [JobState.available, .running] {
      var before: ID<JobRecord>?
      while true {
        let jobs = try await queue.list(
          JobFilter(state: state, kind: nil, organization: id.uuid), before: before,
          limit: pageSize)
        for job in jobs where job.id != own { _ = try await queue.cancel(job.id) }
        guard jobs.count == pageSize, let last = jobs.last else { break }
        before = last.id
      }
    }
  }
}
