package import Database
import FoundationEssentials
package import Jobs
package import Platform
package import Tenancy
import Web

/// Creates, changes and removes organizations; each change with its audit events and its announcement
/// in one transaction.
package struct Organizations: Sendable {
  let database: Database
  let directory: TenantDirectory
  let provisioner: Provisioner
  let keys: SigningKeyRotation
  let audit: AuditRecorder
  let queue: JobQueue
  let idempotency: Idempotency
  let clock: WallClock

  package init(
    database: Database, directory: TenantDirectory, provisioner: Provisioner,
    keys: SigningKeyRotation, audit: AuditRecorder, queue: JobQueue, idempotency: Idempotency,
    clock: WallClock
  ) {
    self.database = database
    self.directory = directory
    self.provisioner = provisioner
    self.keys = keys
    self.audit = audit
    self.queue = queue
    self.idempotency = idempotency
    self.clock = clock
  }

  // MARK: Find

  /// The organization of a path segment: its id, or the slug it has now.
  package func find(_ idOrSlug: String) async throws -> Organization {
    let id = TenantID(idOrSlug)
    let statement = FindOrganization(id: id, slug: id == nil ? idOrSlug : nil)
    guard let organization = try await database.first(statement) else { throw Self.notFound }
    return organization
  }

  /// The tenant of a path segment, for what lies inside it; one that goes away is not there.
  package func tenant(_ idOrSlug: String) async throws -> Tenant {
    let tenant =
      if let id = TenantID(idOrSlug) {
        try await directory.find(id: id)
      } else {
        try await directory.find(slug: idOrSlug)
      }
    guard let tenant, tenant.status.isRoutable else { throw Self.notFound }
    return tenant
  }

  func list(after: TenantID?, status: TenantStatus?, limit: Int) async throws -> [Organization] {
    try await database.all(
      ListOrganizations(after: after, status: status?.rawValue, limit: limit))
  }

  static let notFound = Problem.notFound("There is no such organization.")

  // MARK: Create

  /// A new organization, complete and routable, or nothing at all.
  ///
  /// A repeat of the request is recognised by `claim`; the trails of both organization and platform tell it.
  package func create(
    _ draft: OrganizationDraft, claim: IdempotencyClaim?, by platform: PlatformOperator
  ) async throws -> Organization {
    if let earlier = try await idempotency.earlier(claim) { return try await again(earlier) }
    let plan = try await provisioner.prepare(draft)
    do {
      let outcome = try await idempotency.once(claim, organization: nil, in: nil) { tx in
        let made = try await provisioner.provision(plan, in: tx)
        let organization = made.organization
        try await keys.ensure(
          made.tenant.settings.signingAlgorithms.map(\.algorithm), in: tx, tenant: made.tenant,
          origin: platform.origin)
        let event = AuditEvent(
          .organizationCreated, origin: platform.origin, subject: nil,
          detail: organization.auditDetail)
        try await audit.record(event, in: tx, tenant: made.tenant)
        try await audit.record(event, in: tx, tenant: platform.system)
        return Creation(value: organization, id: organization.id.description, secret: nil)
      }
      return switch outcome {
      case .first(let organization): organization
      case .again(let earlier): try await again(earlier)
      }
    } catch let error as DatabaseError where error.constraint == "organization_slug_key" {
      throw Problem.conflict(
        "Another organization has this slug.",
        errors: [FieldError("slug", "is in use by another organization.")])
    }
  }

  private func again(_ earlier: EarlierResult) async throws -> Organization {
    guard let id = TenantID(earlier.resource),
      let organization = try await database.first(FindOrganization(id: id, slug: nil)),
      organization.status != .deleted
    else { throw EarlierResult.resourceGone }
    return organization
  }

  // MARK: Change

  func update(
    _ id: TenantID, _ patch: OrganizationPatch, ifMatch: IfMatch, by platform: PlatformOperator
  ) async throws -> Organization {
    let tenant = try await directory.find(id: id)
    return try await changing(id, by: platform) { organization, tx in
      try ifMatch.require(organization.etag)
      guard organization.status != .deleting else { throw Self.notChangeable(.deleting) }
      let settings = try patch.settings(over: organization.settings)
      let changed = [
        patch.name != nil && patch.name != organization.name ? "name" : nil,
        .object(settings.json) != organization.settings ? "settings" : nil,
      ].compactMap { $0 }
      guard !changed.isEmpty else { return nil }
      if let tenant {
        try await keys.ensure(
          settings.signingAlgorithms.map(\.algorithm), in: tx, tenant: tenant,
          origin: platform.origin)
      }
      let updated = try await tx.first(
        UpdateOrganization(
          id: id, name: patch.name ?? organization.name, settings: .object(settings.json),
          now: clock.now()))
      return updated.map { ($0, .organizationUpdated, ["fields": .strings(changed)]) }
    }
  }

  func suspend(_ id: TenantID, by platform: PlatformOperator) async throws -> Organization {
    try await changing(id, by: platform) { organization, tx in
      try await apply(organization.suspension(), .organizationSuspended, to: organization, in: tx)
    }
  }

  func resume(_ id: TenantID, by platform: PlatformOperator) async throws -> Organization {
    try await changing(id, by: platform) { organization, tx in
      try await apply(organization.resumption(), .organizationResumed, to: organization, in: tx)
    }
  }

  /// Takes an organization out of use at once; a job removes what it had.
  func delete(_ id: TenantID, ifMatch: IfMatch, by platform: PlatformOperator) async throws
    -> Organization
  {
    try await changing(id, by: platform) { organization, tx in
      try ifMatch.require(organization.etag)
      let change = try await apply(
        organization.deletion(), .organizationDeleting, to: organization, in: tx)
      if change != nil {
        try await queue.enqueue(
          DeleteOrganization(organization: id), organization: id.uuid, uniqueKey: id.description,
          in: tx)
      }
      return change
    }
  }

  private typealias Changed = (Organization, AuditAction, JSONObject)

  private func apply(
    _ change: StatusChange, _ action: AuditAction, to organization: Organization,
    in tx: Transaction
  ) async throws -> Changed? {
    switch change {
    case .unchanged: return nil
    case .refuse(let sentence): throw Problem.conflict(sentence)
    case .change(let status):
      let updated = try await tx.first(
        SetOrganizationStatus(
          id: organization.id, status: status, deletedAt: nil, now: clock.now()))
      return updated.map {
        ($0, action, ["from": .string(organization.status.rawValue)])
      }
    }
  }

  /// Locks, changes, announces and records.
  ///
  /// The organization's own trail gets the event while it still has one to read, the platform's
  /// always.
  private func changing(
    _ id: TenantID, by platform: PlatformOperator,
    _ change: (Organization, Transaction) async throws -> Changed?
  ) async throws -> Organization {
    // Its settings decide what events keep; a change of them may be a moment late for that.
    let tenant = try await directory.find(id: id)
    return try await database.transaction { tx in
      guard let organization = try await tx.first(LockOrganization(id: id)),
        organization.status != .deleted
      else { throw Self.notFound }
      guard let (changed, action, detail) = try await change(organization, tx) else {
        return organization
      }
      try await directory.announceChange(of: id, in: tx)
      let event = AuditEvent(
        action, origin: platform.origin, subject: nil,
        detail: changed.auditDetail.merging(detail))
      if let tenant { try await audit.record(event, in: tx, tenant: tenant) }
      if !changed.isSystem { try await audit.record(event, in: tx, tenant: platform.system) }
      return changed
    }
  }

  private static func notChangeable(_ status: TenantStatus) -> Problem {
    .conflict("The organization is \(status.rawValue).")
  }
}

/// Who acts on organizations, and the tenant whose audit trail is the platform's.
package struct PlatformOperator: Sendable {
  let origin: AuditOrigin
  let system: Tenant

  package init(origin: AuditOrigin, system: Tenant) {
    self.origin = origin
    self.system = system
  }
}

extension AuditAction {
  static let organizationCreated = AuditAction("organization.created")
  static let organizationUpdated = AuditAction("organization.updated")
  static let organizationSuspended = AuditAction("organization.suspended")
  static let organizationResumed = AuditAction("organization.resumed")
  static let organizationDeleting = AuditAction("organization.deleting")
  static let organizationDeleted = AuditAction("organization.deleted")
}
