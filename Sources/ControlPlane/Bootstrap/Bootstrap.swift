import Database
import Foundation
import Jobs
package import Platform
package import Tenancy

/// Makes the platform usable: the `system` tenant and the first administrator, a confidential client.
///
/// Everything can be repeated; what is there stays as it is.
package struct Bootstrap: Sendable {
  let database: Database
  let directory: TenantDirectory
  let provisioner: Provisioner
  let clients: ClientStore
  let audit: AuditRecorder
  let clock: WallClock
  let random: RandomSource

  /// The name by which the administrator's client is found again.
  static let clientName = "Tenure administration"

  /// What happens to the secret of an administrator who is there already.
  package enum ExistingSecret: Sendable {
    /// It stays, and nobody is told, since only its digest is kept.
    case keep
    /// It is replaced: for whoever has lost it.
    case replace
  }

  /// The `system` tenant and access to `/admin/v1` with every scope.
  package func run(_ existing: ExistingSecret) async throws -> AdminAccess {
    let system = try await systemTenant()
    try await database.transaction { tx in
      try await tx.schedule(
        SweepIdempotencyKeys(), organization: nil,
        JobSchedule(
          calendar: CronCalendar(try CronExpression("17 * * * *"), timeZone: .gmt),
          jitterSeconds: 0, catchUp: .skip),
        enabled: true, clock: clock, random: random)
    }
    let administrator = try await administrator(of: system, existing)
    return AdminAccess(
      tokenEndpoint: "\(system.issuer)/oauth2/token", clientID: administrator.client.id.text,
      clientSecret: administrator.secret, scope: AdminScope.all)
  }

  /// Two processes may try at the same time: the slug is unique, and the loser finds the winner's.
  package func systemTenant() async throws -> Tenant {
    if let tenant = try await directory.find(slug: Tenant.systemSlug) { return tenant }
    let plan = try await provisioner.prepare(
      OrganizationDraft(slug: .system, name: "Tenure", settings: TenantSettings()))
    do {
      return try await database.transaction { tx in
        let made = try await provisioner.provision(plan, in: tx)
        try await audit.record(
          AuditEvent(
            .organizationCreated, origin: .system, subject: nil,
            detail: made.organization.auditDetail),
          in: tx, tenant: made.tenant)
        return made.tenant
      }
    } catch let error as DatabaseError where error.constraint == "organization_slug_key" {
      guard let tenant = try await directory.find(slug: Tenant.systemSlug) else { throw error }
      return tenant
    }
  }

  private enum Administrator {
    case made(IssuedClient)
    case known(ClientID)
  }

  private func administrator(of system: Tenant, _ existing: ExistingSecret) async throws
    -> ShownClient
  {
    let administrator = try await database.transaction { tx -> Administrator in
      // One process at a time looks and creates.
      _ = try await tx.first(LockOrganization(id: system.id))
      if let id = try await tx.first(FindClientByName(name: Self.clientName), in: system.schema) {
        return .known(id)
      }
      return .made(
        try await clients.create(Self.metadata, in: tx, tenant: system, origin: .system))
    }
    switch administrator {
    case .made(let issued): return ShownClient(issued)
    case .known(let id) where existing == .replace:
      return ShownClient(try await clients.rotateSecret(of: id, in: system, origin: .system))
    case .known(let id):
      guard let client = try await clients.find(id, in: system) else { throw ClientError.notFound }
      return ShownClient(client: client, secret: nil)
    }
  }

  private static var metadata: ClientMetadata {
    var metadata = ClientMetadata()
    metadata.name = clientName
    metadata.grantTypes = [.clientCredentials]
    metadata.responseTypes = []
    metadata.authenticationMethod = .clientSecretPost
    metadata.scope = OAuthScope(AdminScope.all) ?? .none
    metadata.isFirstParty = true
    return metadata
  }
}

/// What an administrator needs to call `/admin/v1`.
package struct AdminAccess: Sendable {
  package let tokenEndpoint: String
  package let clientID: String
  /// Nil for a client that was there before: only a digest of its secret is kept.
  package let clientSecret: Secret<String>?
  package let scope: String
}
