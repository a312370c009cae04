package import Database
import FoundationEssentials
package import Platform
package import Tenancy

/// Makes an organization in two steps (decision 0008): what is the same for all of them ahead of time, what makes it
/// somebody's in the caller's transaction.
///
/// A transaction that fails leaves nothing behind: roles and schemas are transactional in Postgres.
package struct Provisioner: Sendable {
  private let database: Database
  private let migrator: Migrator
  private let masterKey: MasterKey
  private let directory: TenantDirectory
  private let ring: SigningKeyRing
  private let audit: AuditRecorder
  private let defaults: TenantDefaults
  private let spares: SpareSchemas
  private let clock: WallClock
  private let random: RandomSource
  /// Rings when an organization was taken.
  private let taken: @Sendable () -> Void

  package init(
    database: Database, migrator: Migrator, masterKey: MasterKey, directory: TenantDirectory,
    ring: SigningKeyRing, audit: AuditRecorder, defaults: TenantDefaults, clock: WallClock,
    random: RandomSource, taken: @escaping @Sendable () -> Void
  ) {
    self.database = database
    self.migrator = migrator
    self.masterKey = masterKey
    self.directory = directory
    self.ring = ring
    self.audit = audit
    self.defaults = defaults
    spares = SpareSchemas(database: database, migrator: migrator, clock: clock, random: random)
    self.clock = clock
    self.random = random
    self.taken = taken
  }

  // MARK: Ahead of time

  var readyCount: Int {
    get async throws {
      try await database.first(CountReadyOrganizations(schemaVersion: migrator.tenantVersion)) ?? 0
    }
  }

  /// Makes spare schemas, if it is time for some.
  func refillSpares() async throws { try await spares.refill() }

  /// Makes one more ready organization, unless there are enough; false if another process is at it.
  ///
  /// Whoever finds the lock taken leaves the rest to its holder, who counts again afterwards. So it takes the lock for
  /// nothing more itself: the holder would find it taken in turn, and nobody would count again.
  func stock(upTo count: Int) async throws -> Bool {
    let seed = try TenantSeed()
    let isHolder = try await database.transaction { tx in
      guard try await tx.first(LockReadyOrganizations()) == true else { return false }
      let ready = try await tx.first(
        CountReadyOrganizations(schemaVersion: migrator.tenantVersion))
      if let ready, ready < count { try await makeReady(seed, epoch: 0, in: tx) }
      return true
    }
    if isHolder { try await publish() }
    return isHolder
  }

  /// Lets others take what is ready, also what a process that ended left; whoever holds the lock does it otherwise.
  func publish() async throws {
    try await database.transaction { tx in
      guard try await tx.first(LockReadyOrganizations()) == true else { return }
      try await tx.run(PublishReadyOrganizations())
    }
  }

  /// Row, keys, role, schema and rights of an organization that is nobody's yet.
  private func makeReady(_ seed: TenantSeed, epoch: Int, in tx: Transaction) async throws {
    let now = clock.now()
    tx.beginTenant()
    let spare = try await spares.take(in: tx)
    let id = spare ?? .generate(clock, random)
    let (key, schema) = (TenantKey.generate(for: id), TenantSchema(id: id.uuid))
    let nobody = Tenant(
      id: id, slug: schema.name, name: "", status: .provisioning, schema: schema, epoch: 1,
      issuer: directory.issuer(slug: schema.name), settings: TenantSettings(), key: key)
    try await tx.run(
      InsertReadyOrganization(
        id: id, schema: schema.name, schemaVersion: migrator.tenantVersion, epoch: epoch, now: now))
    try await tx.run(
      InsertTenantKey(
        organization: id, version: key.version, wrapped: masterKey.wrap(key), now: now))
    try await tx.script(
      spare == nil
        ? migrator.provisioningScript(for: schema) : migrator.tablesScript(for: schema))
    try await ring.install(
      seed.signingKeys(of: key, clock: clock, random: random), in: tx, tenant: nobody)
    try await audit.begin(in: tx, tenant: nobody)
  }

  // MARK: For somebody

  /// All that takes time and no transaction: keys, if no organization is ready.
  func prepare(_ draft: OrganizationDraft) async throws -> ProvisioningPlan {
    guard try await readyCount == 0 else { return ProvisioningPlan(draft: draft, seed: nil) }
    // Whoever fills the stock tells why there are none; without any this organization makes its own.
    try? await spares.refill()
    return ProvisioningPlan(draft: draft, seed: try TenantSeed())
  }

  /// Takes a ready organization, or makes one, and gives it its name and its defaults.
  func provision(_ plan: ProvisioningPlan, in tx: Transaction) async throws -> Provisioned {
    let draft = plan.draft
    let now = clock.now()
    tx.beginTenant()
    let take = TakeReadyOrganization(
      slug: draft.slug.value, name: draft.name, schemaVersion: migrator.tenantVersion,
      settings: .object(draft.settings.json), now: now)
    var ready = try await tx.first(take)
    if ready == nil {
      // Somebody else may have taken the last one since it was seen.
      try await makeReady(plan.seed ?? TenantSeed(), epoch: 1, in: tx)
      ready = try await tx.first(take)
    }
    guard let ready else { throw KeyError.missing("tenant key") }
    _ = try await tx.first(HearOfRoles())
    let tenant = Tenant(
      id: ready.id, slug: draft.slug.value, name: draft.name, status: .active,
      schema: TenantSchema(id: ready.id.uuid), epoch: 1,
      issuer: directory.issuer(slug: draft.slug.value), settings: draft.settings,
      key: try masterKey.unwrap(
        ready.wrappedKey, tenant: ready.id, version: ready.keyVersion))
    try await defaults.install(tenant, tx)
    try await directory.announceChange(of: tenant.id, in: tx)
    tx.onCommit(taken)
    return Provisioned(
      tenant: tenant,
      organization: Organization(
        id: tenant.id, slug: tenant.slug, name: tenant.name, status: .active,
        schemaVersion: migrator.tenantVersion, epoch: 1, settings: .object(tenant.settings.json),
        createdAt: now, updatedAt: now, deletedAt: nil))
  }
}

/// What is decided before the transaction begins.
struct ProvisioningPlan: Sendable {
  let draft: OrganizationDraft
  let seed: TenantSeed?
}

/// An organization that is somebody's from the commit on.
struct Provisioned: Sendable {
  let tenant: Tenant
  let organization: Organization
}

/// What other modules put into a new tenant, in the transaction that makes it somebody's.
package struct TenantDefaults: Sendable {
  let install: @Sendable (Tenant, Transaction) async throws -> Void

  package init(install: @escaping @Sendable (Tenant, Transaction) async throws -> Void) {
    self.install = install
  }
}
