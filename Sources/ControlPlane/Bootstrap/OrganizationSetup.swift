package import Compliance
import Database
package import Platform
package import Tenancy

/// An organization with what belongs into it, made in one call: for `tenure dev` and for tests.
///
/// It goes through the services of the administration interface, so what it makes is what a
/// client of the interface gets.
package struct OrganizationSetup: Sendable {
  let database: Database
  let directory: TenantDirectory
  let bootstrap: Bootstrap
  let organizations: Organizations
  let users: Users
  let clients: Clients
  let consents: Consents
  let retention: Retention

  /// Makes what is missing.
  ///
  /// Of what is there, passwords and secrets are replaced, since nobody knows them any more.
  package func ensure(_ wanted: WantedOrganization) async throws -> ReadyOrganization {
    let system = try await bootstrap.systemTenant()
    let slug = try Slug(wanted.slug)
    if try await directory.find(slug: slug.value) == nil {
      _ = try await organizations.create(
        OrganizationDraft(slug: slug, name: wanted.name, settings: wanted.settings), claim: nil,
        by: PlatformOperator(origin: .system, system: system))
    }
    let tenant = try await organizations.tenant(slug.value)
    for purpose in wanted.purposes {
      try await database.transaction(in: tenant.schema) { tx in
        _ = try await consents.define(purpose, in: tx, tenant: tenant, origin: .system)
      }
    }
    for rule in wanted.retention {
      _ = try await retention.setRule(
        rule.rule, enabled: rule.enabled, keepDays: rule.keepDays, in: tenant, origin: .system)
    }
    var ready = ReadyOrganization(tenant: tenant, users: [], clients: [])
    for user in wanted.users { ready.users.append(try await ensure(user, in: tenant)) }
    for client in wanted.clients { ready.clients.append(try await ensure(client, in: tenant)) }
    return ready
  }

  private func ensure(_ user: WantedUser, in tenant: Tenant) async throws -> User {
    let claims = try Claims(validating: user.claims)
    if let username = claims.username,
      let found = try await users.store.find(username: username, in: tenant)
    {
      return try await users.store.change(
        found.id, by: UserChange(password: user.password), expecting: nil, in: tenant,
        origin: .system)
    }
    return try await users.create(
      UserDraft(claims: claims, password: user.password), in: tenant, claim: nil, origin: .system)
  }

  private func ensure(_ metadata: ClientMetadata, in tenant: Tenant) async throws -> ShownClient {
    if let name = metadata.name,
      let id = try await database.first(FindClientByName(name: name), in: tenant.schema)
    {
      return metadata.authenticationMethod.usesSecret
        ? try await clients.rotateSecret(id.text, in: tenant, origin: .system)
        : ShownClient(client: try await clients.find(id.text, in: tenant), secret: nil)
    }
    return try await clients.create(metadata, in: tenant, claim: nil, origin: .system)
  }
}

/// What an organization is to have.
package struct WantedOrganization: Sendable {
  package var slug: String
  package var name: String
  package var settings = TenantSettings()
  package var users: [WantedUser] = []
  /// Found again by their names.
  package var clients: [ClientMetadata] = []
  package var purposes: [PurposeDefinition] = []
  package var retention: [(rule: String, enabled: Bool?, keepDays: Int?)] = []

  package init(slug: String, name: String) {
    self.slug = slug
    self.name = name
  }
}

/// A person as the administration interface takes them: flat claims with a `username`.
package struct WantedUser: Sendable {
  package let claims: JSONObject
  package let password: Secret<String>

  package init(claims: JSONObject, password: Secret<String>) {
    self.claims = claims
    self.password = password
  }
}

/// What it has, in the order it was wanted, with secrets that were made now.
package struct ReadyOrganization: Sendable {
  package let tenant: Tenant
  package internal(set) var users: [User]
  package internal(set) var clients: [ShownClient]
}
