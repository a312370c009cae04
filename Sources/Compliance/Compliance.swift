package import Database
package import Jobs
package import Platform
package import Tenancy

/// The assembly of compliance: what people are owed about their data, driven by the declarations of all modules.
package struct Compliance: Sendable {
  package static let statements: [any Statement.Type] = [
    LockPurpose.self, FindPurpose.self, ListPurposes.self, PutPurpose.self, InsertNotice.self,
    PurposeNotices.self, CurrentNotice.self, InsertConsentEvent.self, ConsentStates.self,
    ApplicationConsent.self,
    InsertRequest.self, HoldSubject.self, FindOpenRequest.self, FindRequest.self,
    ListRequests.self, LockRequest.self, MoveRequest.self, RefuseExports.self,
    ExportRequestIDs.self, PageByIndex.self,
    InsertPackage.self, FindPackage.self, ConsumeDownload.self, ExpiredPackages.self,
    DeletePackages.self, KnownPackages.self, ReadSubject.self,
    InsertErasureIntent.self, CompleteErasure.self, LockSubject.self,
    LockSubjectFiles.self,
    ShareSubjectFiles.self,
    ListRules.self, SeedRules.self, PutRule.self, InsertRun.self, UpdateRun.self, FailRun.self,
    FindRun.self,
    ListRuns.self, TenantForeignKeys.self,
    ListAuditEvents.self,
  ]

  package static let personalData: [PersonalData] = [
    ConsentPurpose.personalData, ConsentNotice.personalData, ConsentEvent.personalData,
    DataRequest.personalData, ExportPackage.personalData,
    RetentionRule.personalData, RetentionRun.personalData,
  ]

  package let map: DataMap
  package let consents: Consents
  package let requests: PrivacyRequests
  package let packages: ExportPackages
  package let retention: Retention
  package let auditTrail: AuditQuery
  package let store: ArchiveStore
  package let jobHandlers: [any JobHandler]
  package let metrics: [MetricFamily]

  /// Takes the declarations of every module with tables in the tenant schema, its own included.
  ///
  /// It throws when they contradict each other.
  package init(
    database: Database, directory: TenantDirectory, users: UserStore, audit: AuditRecorder,
    queue: JobQueue, store: ArchiveStore, declarations: [PersonalData], exports: ExportPolicy,
    clock: WallClock, random: RandomSource
  ) throws {
    let map = try DataMap(declarations)
    let requests = PrivacyRequests(
      database: database, queue: queue, audit: audit, map: map, clock: clock, random: random)
    self.map = map
    self.requests = requests
    self.store = store
    consents = Consents(database: database, audit: audit, clock: clock, random: random)
    packages = ExportPackages(database: database, store: store, audit: audit, clock: clock)
    retention = Retention(
      database: database, queue: queue, audit: audit, map: map, clock: clock, random: random)
    auditTrail = AuditQuery(database: database)
    let retained = RetentionMetrics()
    metrics = retained.families
    jobHandlers = [
      ExportHandler(
        database: database, directory: directory, audit: audit, store: store, map: map,
        policy: exports, clock: clock),
      ErasureHandler(
        database: database, directory: directory, users: users, audit: audit, store: store,
        map: map, clock: clock, random: random),
      RetentionHandler(
        database: database, directory: directory, requests: requests, audit: audit, store: store,
        map: map, metrics: retained, clock: clock),
    ]
  }

  /// What a new tenant starts with, in the transaction that provisions it, after its audit counter: the purpose of
  /// the OAuth consent page, the retention rules and their schedule.
  package func provision(_ tenant: Tenant, in tx: Transaction) async throws {
    try await consents.define(.application, in: tx, tenant: tenant, origin: .system)
    try await retention.seed(tenant, in: tx)
  }

  /// Removes the schedules of a tenant that goes away, in the transaction that drops it.
  ///
  /// The files go with ``ArchiveStore/deleteAll(of:)`` after it.
  package func deprovision(_ tenant: TenantID, in tx: Transaction) async throws {
    try await tx.deleteSchedules(organization: tenant.uuid)
  }
}

extension ExportPolicy {
  package init(_ read: inout SettingsReader) {
    let days = read.value(
      "EXPORT_KEEP_DAYS", default: 7, in: 1...90, "Days that a finished export can be fetched.")
    self.init(keepDays: days, downloadsMax: 1)
  }
}
