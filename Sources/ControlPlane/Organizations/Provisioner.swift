package import Database
import FoundationEssentials
package import Platform
package import Tenancy

/// Makes an organization: row, keys, role, schema, rights and defaults, in the caller's transaction.
///
/// A transaction that fails leaves nothing behind: roles and schemas are transactional in Postgres.
package struct Provisioner: Sendable {
  private let migrator: Migrator
  private let masterKey: MasterKey
  private let directory: TenantDirectory
  private let ring: SigningKeyRing
  private let audit: AuditRecorder
  private let seeds: SeedReserve
  private let defaults: TenantDefaults
  private let clock: WallClock

  package init(
    migrator: Migrator, masterKey: MasterKey, directory: TenantDirectory, ring: SigningKeyRing,
    audit: AuditRecorder, seeds: SeedReserve, defaults: TenantDefaults, clock: WallClock
  ) {
    self.migrator = migrator
    self.masterKey = masterKey
    self.directory = directory
    self.ring = ring
    self.audit = audit
    self.seeds = seeds
    self.defaults = defaults
    self.clock = clock
  }

  /// All that takes time and no transaction: keys, above all.
  func prepare(_ draft: OrganizationDraft) throws -> ProvisioningPlan {
    let seed = try seeds.take()
    return ProvisioningPlan(
      tenant: Tenant(
        id: seed.id, slug: draft.slug.value, name: draft.name, status: .active,
        schema: TenantSchema(id: seed.id.uuid), epoch: 1,
        issuer: directory.issuer(slug: draft.slug.value), settings: draft.settings, key: seed.key),
      seed: seed)
  }

  /// Everything in the order in which it can fail: the slug first, since it may be taken.
  func provision(_ plan: ProvisioningPlan, in tx: Transaction) async throws -> Organization {
    let tenant = plan.tenant
    let now = clock.now()
    try await tx.run(
      InsertOrganization(
        id: tenant.id, slug: tenant.slug, name: tenant.name, schema: tenant.schema.name,
        schemaVersion: migrator.tenantVersion, settings: .object(tenant.settings.json), now: now))
    try await tx.run(
      InsertTenantKey(
        organization: tenant.id, version: tenant.key.version, wrapped: masterKey.wrap(tenant.key),
        now: now))
    try await tx.script(migrator.provisioningScript(for: tenant.schema))
    try await audit.begin(in: tx, tenant: tenant)
    try await ring.install(plan.seed.signingKeys, in: tx, tenant: tenant)
    try await defaults.install(tenant, tx)
    try await directory.announceChange(of: tenant.id, in: tx)
    return Organization(
      id: tenant.id, slug: tenant.slug, name: tenant.name, status: .active,
      schemaVersion: migrator.tenantVersion, epoch: 1, settings: .object(tenant.settings.json),
      createdAt: now, updatedAt: now, deletedAt: nil)
  }
}

/// What is decided before the transaction begins.
struct ProvisioningPlan: Sendable {
  let tenant: Tenant
  let seed: TenantSeed
}

/// What other modules put into a new tenant, in the transaction that makes it.
package struct TenantDefaults: Sendable {
  let install: @Sendable (Tenant, Transaction) async throws -> Void

  package init(install: @escaping @Sendable (Tenant, Transaction) async throws -> Void) {
    self.install = install
  }
}
