package import Database
import Jobs
package import Platform
package import Tenancy

/// The data-subject requests of a tenant: opened with their job in one transaction, found, planned.
package struct PrivacyRequests: Sendable {
  let database: Database
  let queue: JobQueue
  let audit: AuditRecorder
  let map: DataMap
  let clock: WallClock
  let random: RandomSource

  /// Opens a request in the caller's transaction, with its audit event and its job.
  ///
  /// While one of the kind is still open for the subject, that one is the answer: asking twice is harmless, and
  /// brings back its job if that has been cancelled or has died.
  @discardableResult
  package func open(
    _ kind: DataRequestKind, subject: UserID, channel: DataRequestChannel, in tx: Transaction,
    tenant: Tenant, origin: AuditOrigin
  ) async throws -> DataRequest {
    guard let status = try await tx.first(HoldSubject(id: subject), in: tenant.schema) else {
      throw DataRequestError.unknownSubject
    }
    if kind == .export, status == .erasing { throw DataRequestError.erasing }
    let open = FindOpenRequest(subject: subject, kind: kind)
    if let request = try await tx.first(open, in: tenant.schema) {
      try await enqueueJob(of: request.id, kind, in: tx, tenant)
      return request
    }
    let now = clock.now()
    let id = ID<DataRequest>.generate(clock, random)
    try await tx.run(
      InsertRequest(
        id: id, kind: kind, state: channel.isVerified ? .verified : .received, subject: subject,
        channel: channel, now: now, verifiedAt: channel.isVerified ? now : nil,
        dueAt: now.oneMonthLater),
      in: tenant.schema)
    try await enqueueJob(of: id, kind, in: tx, tenant)
    try await audit.record(
      AuditEvent(
        .privacyRequestOpened, origin: origin, subject: AuditSubject(id: subject, key: nil),
        detail: id.auditDetail(kind, ["channel": .string(channel.rawValue)])),
      in: tx, tenant: tenant)
    guard let request = try await tx.first(FindRequest(id: id), in: tenant.schema) else {
      throw DataRequestError.unknownSubject
    }
    return request
  }

  /// Does nothing while the job waits or runs.
  private func enqueueJob(
    of id: ID<DataRequest>, _ kind: DataRequestKind, in tx: Transaction, _ tenant: Tenant
  ) async throws {
    switch kind {
    case .export:
      try await queue.enqueue(
        ExportJob(organization: tenant.id, request: id), organization: tenant.id.uuid,
        uniqueKey: id.description, in: tx)
    case .erasure:
      try await queue.enqueue(
        ErasureJob(organization: tenant.id, request: id), organization: tenant.id.uuid,
        uniqueKey: id.description, in: tx)
    }
  }

  /// The same in a transaction of its own.
  package func open(
    _ kind: DataRequestKind, subject: UserID, channel: DataRequestChannel, in tenant: Tenant,
    origin: AuditOrigin
  ) async throws -> DataRequest {
    try await database.transaction(in: tenant.schema) { tx in
      try await open(
        kind, subject: subject, channel: channel, in: tx, tenant: tenant, origin: origin)
    }
  }

  package func find(_ id: ID<DataRequest>, in tenant: Tenant) async throws -> DataRequest? {
    try await database.first(FindRequest(id: id), in: tenant.schema)
  }

  /// A page of requests, newest first; `before` is the last id of the page before.
  package func list(
    _ filter: DataRequestFilter, before: ID<DataRequest>?, limit: Int, in tenant: Tenant
  ) async throws -> [DataRequest] {
    try await database.all(
      ListRequests(
        subject: filter.subject, kind: filter.kind, state: filter.state, before: before,
        limit: limit),
      in: tenant.schema)
  }

  /// What an erasure would do, in rows per table; changes nothing.
  package func erasurePlan(of subject: UserID, in tenant: Tenant) async throws -> [ErasureStep] {
    let engine = ErasureEngine(map: map)
    return try await database.transaction(in: tenant.schema, isolation: .repeatableRead) { tx in
      try await engine.plan(subject, in: tx)
    }
  }

  /// What an export would hold, in rows per table; changes nothing.
  package func exportPlan(of subject: UserID, in tenant: Tenant) async throws -> [ErasureStep] {
    let engine = ExportEngine(map: map)
    return try await database.transaction(in: tenant.schema, isolation: .repeatableRead) { tx in
      try await engine.plan(subject, in: tx)
    }
  }
}

/// What a list of requests is restricted to; nil means any.
package struct DataRequestFilter: Hashable, Sendable {
  package var subject: UserID?
  package var kind: DataRequestKind?
  package var state: DataRequestState?

  package init(subject: UserID?, kind: DataRequestKind?, state: DataRequestState?) {
    self.subject = subject
    self.kind = kind
    self.state = state
  }
}

extension ID where Entity == DataRequest {
  /// The public part of a request's audit events.
  func auditDetail(_ kind: DataRequestKind, _ more: JSONObject = [:]) -> JSONObject {
    let detail: JSONObject = ["request": .string(description), "kind": .string(kind.rawValue)]
    return detail.merging(more)
  }
}

extension AuditAction {
  static let privacyRequestOpened = AuditAction("privacy.request_opened")
  static let privacyRequestFulfilled = AuditAction("privacy.request_fulfilled")
  static let privacyRequestRefused = AuditAction("privacy.request_refused")
  static let privacyRequestFailed = AuditAction("privacy.request_failed")
  static let privacyPackageDownloaded = AuditAction("privacy.package_downloaded")
  static let retentionRuleChanged = AuditAction("retention.rule_changed")
  static let retentionRun = AuditAction("retention.run")
}
