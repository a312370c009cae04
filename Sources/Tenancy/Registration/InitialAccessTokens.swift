import Cryptography
package import Database
package import FoundationEssentials
package import Platform

/// A permission to register clients, given to somebody beforehand (RFC 7591 section 1.2).
package struct InitialAccessToken: Sendable {
  package let id: ID<InitialAccessToken>
  package let usesLeft: Int
  package let createdAt: Date
  package let expiresAt: Date

  package var json: JSONObject {
    [
      "id": .string(id.description), "uses_left": .integer(usesLeft),
      "created_at": .string(createdAt.rfc3339), "expires_at": .string(expiresAt.rfc3339),
    ]
  }
}

/// The initial access tokens of a tenant: kept as digests, counted down by each registration.
package struct InitialAccessTokens: Sendable {
  package static let usesMax = 10_000
  package static let lifetimeSecondsMax = 365 * 86_400

  let database: Database
  let audit: AuditRecorder
  let clock: WallClock
  let random: RandomSource

  package func create(
    uses: Int, lifetimeSeconds: Int, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> (token: InitialAccessToken, secret: Secret<String>) {
    let (secret, now) = (ClientSecret(random), clock.now())
    let token = InitialAccessToken(
      id: .generate(clock, random), usesLeft: uses, createdAt: now,
      expiresAt: now.addingTimeInterval(Double(lifetimeSeconds)))
    try await database.transaction(in: tenant.schema) { tx in
      try await tx.run(
        InsertInitialAccessToken(
          hash: secret.hash,
          payload: ["id": .string(token.id.description), "uses_left": .integer(uses)],
          now: now, expiresAt: token.expiresAt))
      try await record(.initialAccessTokenCreated, token.id, in: tx, tenant, origin)
    }
    return (token, secret.secret)
  }

  /// Those that can still be used, oldest first.
  package func list(after: ID<InitialAccessToken>?, limit: Int, in tenant: Tenant) async throws
    -> [InitialAccessToken]
  {
    try await database.all(
      ListInitialAccessTokens(after: after?.description, limit: limit, now: clock.now()),
      in: tenant.schema)
  }

  /// False if there is none.
  package func delete(_ id: ID<InitialAccessToken>, in tenant: Tenant, origin: AuditOrigin)
    async throws -> Bool
  {
    try await database.transaction(in: tenant.schema) { tx in
      guard try await tx.run(DeleteInitialAccessToken(id: id.description)) == 1 else {
        return false
      }
      try await record(.initialAccessTokenDeleted, id, in: tx, tenant, origin)
      return true
    }
  }

  /// Whether the token could be used now; to be asked before work is done for it.
  package func isUsable(_ token: Secret<String>, in tenant: Tenant) async throws -> Bool {
    try await database.first(
      FindInitialAccessToken(hash: SHA2.sha256(token.reveal()), now: clock.now()),
      in: tenant.schema) != nil
  }

  /// Counts one use in the caller's transaction; false if none is left.
  package func use(_ token: Secret<String>, in tx: Transaction) async throws -> Bool {
    try await tx.run(
      UseInitialAccessToken(hash: SHA2.sha256(token.reveal()), now: clock.now())) == 1
  }

  private func record(
    _ action: AuditAction, _ id: ID<InitialAccessToken>, in tx: Transaction, _ tenant: Tenant,
    _ origin: AuditOrigin
  ) async throws {
    try await audit.record(
      AuditEvent(
        action, origin: origin, subject: nil,
        detail: ["initial_access_token_id": .string(id.description)]),
      in: tx, tenant: tenant)
  }
}

extension AuditAction {
  static let initialAccessTokenCreated = AuditAction("initial_access_token.created")
  static let initialAccessTokenDeleted = AuditAction("initial_access_token.deleted")
}
