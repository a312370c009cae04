import Archive
import Cryptography
import Database
import FoundationEssentials
import Jobs
import Platform
import Tenancy

/// Exports all data of the subject of a request (GDPR Article 15 and 20).
struct ExportJob: Job {
  static let kind = "privacy.export"
  static let options = JobOptions(
    attemptsMax: 10, timeoutSeconds: 6 * 3600, priority: 50,
    concurrency: .limited(perKind: 8, perOrganization: 2))

  let organization: TenantID
  let request: ID<DataRequest>
}

/// Writes the archive beside its place, moves it there, and only then makes a package of it.
///
/// A killed worker leaves a part file, or a file without a package: the next attempt writes over both. An
/// erasure waits for the lock that is held while a file is being written, and removes what lies there.
struct ExportHandler: JobHandler {
  let database: Database
  let directory: TenantDirectory
  let audit: AuditRecorder
  let store: ArchiveStore
  let map: DataMap
  let policy: ExportPolicy
  let clock: WallClock

  func run(_ job: ExportJob, _ context: JobContext) async throws {
    guard let tenant = try await directory.find(id: job.organization) else { return }
    let package = ID<ExportPackage>(job.request.uuid)
    do {
      guard let subject = try await begin(job.request, tenant, context) else { return }
      let file = try await write(package, job.request, subject, tenant, context)
      let isMade = try await finish(job.request, subject, file, tenant, context)
      if !isMade { try store.delete(package, in: tenant.id) }
    } catch is SubjectGone {
      try store.delete(package, in: tenant.id)
      try await refuse(job.request, tenant)
    } catch  where context.isLastFailure(error, of: ExportJob.self) {
      try await fail(job.request, tenant, context)
      throw error
    }
  }

  /// Whom to export; nil when there is nothing left to do.
  func begin(
    _ id: ID<DataRequest>, _ tenant: Tenant, _ context: JobContext
  ) async throws -> UserID? {
    try await database.transaction(in: tenant.schema) { tx in
      guard let request = try await tx.first(LockRequest(id: id)),
        request.state.isOpen || request.state == .failed
      else { return nil }
      guard let subject = request.subject else { throw SubjectGone() }
      try await context.fence(tx)
      try await tx.run(
        MoveRequest(id: id, state: .running, completedAt: nil, report: nil, error: nil))
      return subject
    }
  }

  /// One snapshot of everything, streamed into the archive.
  private func write(
    _ package: ID<ExportPackage>, _ request: ID<DataRequest>, _ subject: UserID, _ tenant: Tenant,
    _ context: JobContext
  ) async throws -> ArchiveDigest {
    try store.prepare()
    let path = store.path(package, in: tenant.id)
    return try await database.transaction(in: tenant.schema, isolation: .repeatableRead) { tx in
      guard try await tx.first(ShareSubjectFiles(key: subject.filesLock)) == true else {
        throw SubjectGone()
      }
      guard let account = try await tx.first(ReadSubject(id: subject)), account.status != .erasing
      else { throw SubjectGone() }
      _ = try await tx.first(PageByIndex())
      let file = try PartFile(path: path)
      let hasher = SHA256Hasher()
      let zip = try ZIPWriter { bytes in
        hasher.update(bytes)
        try file.write(bytes)
      }
      let writer = ExportWriter(
        zip: zip, engine: ExportEngine(map: map), tenant: tenant, subject: subject,
        key: try tenant.key.unwrap(account.wrappedKey, user: subject), request: request,
        createdAt: clock.now(), context: context)
      try await writer.write(in: tx)
      try await zip.finish()
      let digest = ArchiveDigest(size: file.size, sha256: hasher.finalize())
      try await file.commit()
      return digest
    }
  }

  /// Makes the file a package, unless the subject has gone meanwhile; false if it was too late.
  func finish(
    _ id: ID<DataRequest>, _ subject: UserID, _ file: ArchiveDigest, _ tenant: Tenant,
    _ context: JobContext
  ) async throws -> Bool {
    let now = clock.now()
    let policy = policy
    return try await database.transaction(in: tenant.schema) { tx in
      // First of all: whoever has lost the job must not touch the file of the one who has it.
      try await context.fence(tx)
      guard let request = try await tx.first(LockRequest(id: id)), request.state == .running,
        let status = try await tx.first(HoldSubject(id: subject)), status != .erasing
      else { return false }
      try await tx.run(
        InsertPackage(
          id: ID(id.uuid), request: id, user: subject, sha256: file.sha256, sizeBytes: file.size,
          downloads: policy.downloadsMax, now: now,
          expiresAt: now.addingTimeInterval(Double(policy.keepDays) * 86400)))
      try await tx.run(
        MoveRequest(id: id, state: .fulfilled, completedAt: now, report: nil, error: nil))
      try await audit.record(
        AuditEvent(
          .privacyRequestFulfilled, origin: .system,
          subject: AuditSubject(id: subject, key: nil), detail: id.auditDetail(.export)),
        in: tx, tenant: tenant)
      return true
    }
  }

  private func refuse(_ id: ID<DataRequest>, _ tenant: Tenant) async throws {
    let now = clock.now()
    try await database.transaction(in: tenant.schema) { tx in
      guard let request = try await tx.first(LockRequest(id: id)), request.state.isOpen else {
        return
      }
      try await tx.run(
        MoveRequest(
          id: id, state: .refused, completedAt: now, report: nil,
          error: "The account is being erased."))
      try await audit.record(
        AuditEvent(
          .privacyRequestRefused, origin: .system, subject: nil, detail: id.auditDetail(.export)),
        in: tx, tenant: tenant)
    }
  }

  func fail(
    _ id: ID<DataRequest>, _ tenant: Tenant, _ context: JobContext
  ) async throws {
    try await database.transaction(in: tenant.schema) { tx in
      try await context.fence(tx)
      guard let request = try await tx.first(LockRequest(id: id)), request.state.isOpen else {
        return
      }
      try await tx.run(
        MoveRequest(
          id: id, state: .failed, completedAt: nil, report: nil,
          error: "The export failed too often."))
      try await audit.record(
        AuditEvent(
          .privacyRequestFailed, .failure, origin: .system, subject: nil,
          detail: id.auditDetail(.export)),
        in: tx, tenant: tenant)
    }
  }
}

/// The account is being erased, or has been.
struct SubjectGone: Error {}

/// How long a finished export is kept, and how often it can be fetched (our policy).
package struct ExportPolicy: Hashable, Sendable {
  package let keepDays: Int
  package let downloadsMax: Int

  package init(keepDays: Int, downloadsMax: Int) {
    self.keepDays = keepDays
    self.downloadsMax = downloadsMax
  }
}
