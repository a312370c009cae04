import Database
import FoundationEssentials
import Jobs
import Platform
import Tenancy

/// Erases the subject of a request (GDPR Article 17).
struct ErasureJob: Job {
  static let kind = "privacy.erasure"
  static let options = JobOptions(
    attemptsMax: 10, timeoutSeconds: 3600, priority: 10,
    concurrency: .limited(perKind: 8, perOrganization: 2))

  let organization: TenantID
  let request: ID<DataRequest>
}

/// Each step may be repeated: a killed worker's successor goes on where it stopped.
///
/// 1. ledger: intent; account `erasing`, blind indexes null, sessions and grants gone, exports refused
/// 2. files of finished and unfinished exports gone
/// 3. one transaction: delete, anonymise, shred, search for what is left, ledger: done, request fulfilled
struct ErasureHandler: JobHandler {
  let database: Database
  let directory: TenantDirectory
  let users: UserStore
  let audit: AuditRecorder
  let store: ArchiveStore
  let map: DataMap
  let clock: WallClock
  let random: RandomSource

  func run(_ job: ErasureJob, _ context: JobContext) async throws {
    guard let tenant = try await directory.find(id: job.organization) else { return }
    do {
      guard let subject = try await revoke(job.request, tenant, context) else { return }
      context.progress(1, of: 3)
      try await deleteFiles(of: subject, tenant)
      context.progress(2, of: 3)
      try await erase(subject, job.request, tenant, context)
    } catch let failure as ResidueFound {
      let isLast = context.attempt >= 2
      if isLast { try await fail(job.request, tenant, context, sentence: failure.sentence) }
      throw ResidueFound(tables: failure.tables, canRetry: !isLast)
    } catch  where context.isLastFailure(error, of: ErasureJob.self) {
      try await fail(job.request, tenant, context, sentence: "The erasure failed too often.")
      throw error
    }
  }

  /// Takes the account out of use; nil when there is nothing left to do.
  func revoke(
    _ id: ID<DataRequest>, _ tenant: Tenant, _ context: JobContext
  ) async throws -> UserID? {
    let engine = ErasureEngine(map: map)
    let now = clock.now()
    let ledgerID = UUID.version7(at: now, random: random)
    return try await database.transaction(in: tenant.schema) { tx in
      guard let request = try await tx.first(LockRequest(id: id)), request.state != .fulfilled,
        request.state != .refused
      else { return nil }
      guard let subject = request.subject else {
        // Another request has erased the person meanwhile.
        try await fulfil(request, steps: request.report ?? [], in: tx, tenant)
        return nil
      }
      try await context.fence(tx)
      try await tx.platform(
        InsertErasureIntent(
          id: ledgerID, organization: tenant.id, request: id, subject: subject, now: now))
      // Before the sessions are gone: applications are told that they have ended.
      _ = try await users.markErasing(subject, in: tx, tenant: tenant, origin: .system)
      let steps = try await engine.erase(subject, from: map.access, in: tx)
      try await tx.run(
        RefuseExports(subject: subject, error: "The account is being erased.", now: now))
      try await tx.run(
        MoveRequest(
          id: id, state: .running, completedAt: nil,
          report: .array(ErasureStep.sum(request.report ?? [], steps).map(\.json)), error: nil))
      return subject
    }
  }

  /// Removes what exports have written, after the last of them has stopped writing.
  func deleteFiles(of subject: UserID, _ tenant: Tenant) async throws {
    let requests = try await database.transaction(in: tenant.schema) { tx in
      try await tx.liftStatementLimit()
      try await tx.run(LockSubjectFiles(key: subject.filesLock))
      return try await tx.all(ExportRequestIDs(subject: subject))
    }
    for request in requests { try store.delete(ID(request.uuid), in: tenant.id) }
  }

  func erase(
    _ subject: UserID, _ id: ID<DataRequest>, _ tenant: Tenant, _ context: JobContext
  ) async throws {
    let engine = ErasureEngine(map: map)
    let scan = ResidueScan(map: map)
    try await database.transaction(in: tenant.schema) { tx in
      try await context.fence(tx)
      guard let request = try await tx.first(LockRequest(id: id)),
        ![.fulfilled, .refused].contains(request.state)
      else { return }
      // Nothing has been erased: this must not look like the end of the job.
      guard request.state == .running else { throw RequestMoved() }
      try await tx.liftStatementLimit()
      let needles = try await needles(of: subject, in: tx, tenant)
      let telling = try await scan.distinguishing(needles, of: subject, in: tx)
      let steps = try await engine.erase(subject, from: map.erasureOrder, in: tx)
      let left = try await scan.tables(with: telling, in: tx)
      guard left.isEmpty else { throw ResidueFound(tables: left, canRetry: true) }
      try await fulfil(
        request, steps: ErasureStep.sum(request.report ?? [], steps), in: tx, tenant)
    }
  }

  private func fulfil(
    _ request: DataRequest, steps: [ErasureStep], in tx: Transaction, _ tenant: Tenant
  ) async throws {
    let now = clock.now()
    let order = map.erasureOrder.map(\.table.name)
    let sorted = steps.sorted {
      (order.firstIndex(of: $0.table) ?? 0) < (order.firstIndex(of: $1.table) ?? 0)
    }
    try await tx.run(
      MoveRequest(
        id: request.id, state: .fulfilled, completedAt: now, report: .array(sorted.map(\.json)),
        error: nil))
    try await tx.platform(CompleteErasure(request: request.id, now: now))
    try await audit.record(
      AuditEvent(
        .privacyRequestFulfilled, origin: .system, subject: nil,
        detail: request.id.auditDetail(
          .erasure, ["rows": .integer(steps.reduce(0) { $0 + $1.rows })])),
      in: tx, tenant: tenant)
  }

  func fail(
    _ id: ID<DataRequest>, _ tenant: Tenant, _ context: JobContext, sentence: String
  ) async throws {
    try await database.transaction(in: tenant.schema) { tx in
      try await context.fence(tx)
      guard let request = try await tx.first(LockRequest(id: id)), request.state.isOpen else {
        return
      }
      try await tx.run(
        MoveRequest(id: id, state: .failed, completedAt: nil, report: nil, error: sentence))
      try await audit.record(
        AuditEvent(
          .privacyRequestFailed, .failure, origin: .system, subject: nil,
          detail: id.auditDetail(.erasure)),
        in: tx, tenant: tenant)
    }
  }

  /// What the scan will look for, as long as it can still be read.
  private func needles(
    of subject: UserID, in tx: Transaction, _ tenant: Tenant
  ) async throws -> SubjectNeedles {
    guard let account = try await tx.first(LockSubject(id: subject)) else {
      return SubjectNeedles(subject: subject, indexes: [], documents: [])
    }
    let key = try tenant.key.unwrap(account.wrappedKey, user: subject)
    let documents = try await SealedDocuments(map: map, key: key).all(of: subject, in: tx)
    return SubjectNeedles(
      subject: subject, indexes: blindIndexes(documents, tenant.key), documents: documents)
  }

  private func blindIndexes(
    _ documents: [SubjectDocument], _ key: TenantKey
  ) -> [[UInt8]] {
    let claims: [(name: String, kind: BlindIndex)] = [
      ("username", .username), ("email", .email), ("phone_number", .phone),
    ]
    return documents.filter(\.isAccount).flatMap { document in
      claims.compactMap { claim in
        document.members[claim.name]?.stringValue.flatMap { key.blindIndex(claim.kind, $0) }
      }
    }
  }
}

/// Somebody else has moved the request meanwhile.
struct RequestMoved: Error {}
