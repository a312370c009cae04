import Database
package import Platform

/// The issuers a tenant trusts beside itself.
package struct TrustedIssuers: Sendable {
  let database: Database
  let audit: AuditRecorder
  let clock: WallClock
  let random: RandomSource

  /// The issuer with this `iss`, if it is trusted for this.
  package func find(_ issuer: String, for use: TrustedIssuerUse, in tenant: Tenant) async throws
    -> TrustedIssuer?
  {
    guard issuer.utf8.count <= 2048 else { return nil }
    let found = try await database.first(
      FindTrustedIssuer(id: nil, issuer: issuer), in: tenant.schema)
    return found.flatMap { $0.metadata.uses.contains(use) ? $0 : nil }
  }

  package func find(_ id: ID<TrustedIssuer>, in tenant: Tenant) async throws -> TrustedIssuer? {
    try await database.first(FindTrustedIssuer(id: id, issuer: nil), in: tenant.schema)
  }

  package func list(after: ID<TrustedIssuer>?, limit: Int, in tenant: Tenant) async throws
    -> [TrustedIssuer]
  {
    try await database.all(ListTrustedIssuers(after: after, limit: limit), in: tenant.schema)
  }

  package func create(
    _ issuer: String, _ metadata: TrustedIssuerMetadata, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> TrustedIssuer {
    let (id, now) = (ID<TrustedIssuer>.generate(clock, random), clock.now())
    do {
      try await database.transaction(in: tenant.schema) { tx in
        try await tx.run(
          InsertTrustedIssuer(
            id: id, issuer: issuer, metadata: .object(metadata.json), now: now))
        try await record(.trustedIssuerCreated, id, in: tx, tenant, origin)
      }
    } catch let error as DatabaseError where error.constraint == "trusted_issuer_issuer_key" {
      throw TrustedIssuerError.duplicate
    }
    return TrustedIssuer(
      id: id, issuer: issuer, metadata: metadata, version: 1, createdAt: now, updatedAt: now)
  }

  package func replace(
    _ issuer: TrustedIssuer, by metadata: TrustedIssuerMetadata, in tenant: Tenant,
    origin: AuditOrigin
  ) async throws -> TrustedIssuer {
    let update = UpdateTrustedIssuer(
      id: issuer.id, version: issuer.version, metadata: .object(metadata.json), now: clock.now())
    return try await database.transaction(in: tenant.schema) { tx in
      guard let changed = try await tx.first(update) else {
        throw TrustedIssuerError.versionMismatch
      }
      try await record(.trustedIssuerUpdated, issuer.id, in: tx, tenant, origin)
      return changed
    }
  }

  /// False if there is none.
  package func delete(_ id: ID<TrustedIssuer>, in tenant: Tenant, origin: AuditOrigin)
    async throws -> Bool
  {
    try await database.transaction(in: tenant.schema) { tx in
      guard try await tx.run(DeleteTrustedIssuer(id: id)) == 1 else { return false }
      try await record(.trustedIssuerDeleted, id, in: tx, tenant, origin)
      return true
    }
  }

  private func record(
    _ action: AuditAction, _ id: ID<TrustedIssuer>, in tx: Transaction, _ tenant: Tenant,
    _ origin: AuditOrigin
  ) async throws {
    try await audit.record(
      AuditEvent(
        action, origin: origin, subject: nil,
        detail: ["trusted_issuer_id": .string(id.description)]),
      in: tx, tenant: tenant)
  }
}

package enum TrustedIssuerError: Error, Sendable, Hashable {
  case duplicate
  case versionMismatch
}

extension AuditAction {
  static let trustedIssuerCreated = AuditAction("trusted_issuer.created")
  static let trustedIssuerUpdated = AuditAction("trusted_issuer.updated")
  static let trustedIssuerDeleted = AuditAction("trusted_issuer.deleted")
}
