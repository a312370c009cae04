package import Database
package import Platform

extension UserStore {
  /// Replaces claims by what `change` makes of them, if the account still has the version expected.
  package func update(
    _ id: UserID, expecting version: Int?, in tenant: Tenant, origin: AuditOrigin,
    _ change: @Sendable (Claims) throws -> Claims
  ) async throws -> User {
    try await changing(id, expecting: version, in: tenant) { user, tx in
      let claims = try change(user.claims)
      let fields = claims.differences(from: user.claims)
      guard !fields.isEmpty else { return user }
      guard claims.username != nil || claims.email != nil else {
        throw UserError.invalid(
          ClaimErrors([ClaimError("username", "is required unless there is an email")]))
      }
      let changed = try await self.write(user, claims: claims, status: user.status, in: tx, tenant)
      try await self.audit.record(
        AuditEvent(
          .userUpdated, origin: origin, subject: user.auditSubject,
          detail: ["fields": .array(fields.map(JSON.string))],
          personal: [
            "before": .object(JSONObject(fields.map { ($0, user.claims[$0] ?? .null) })),
            "after": .object(JSONObject(fields.map { ($0, claims[$0] ?? .null) })),
          ]),
        in: tx, tenant: tenant)
      return changed
    }
  }

  /// Blocks an account or opens it again.
  package func setStatus(
    _ status: UserStatus, of id: UserID, expecting version: Int?, in tenant: Tenant,
    origin: AuditOrigin
  ) async throws -> User {
    precondition(status != .erasing, "erasure has a way of its own")
    return try await changing(id, expecting: version, in: tenant) { user, tx in
      guard user.status != status else { return user }
      let changed = try await self.write(
        user, claims: user.claims, status: status, in: tx, tenant)
      try await self.audit.record(
        AuditEvent(
          .userStatusChanged, origin: origin, subject: user.auditSubject,
          detail: ["from": .string(user.status.rawValue), "to": .string(status.rawValue)]),
        in: tx, tenant: tenant)
      return changed
    }
  }

  package func setPassword(
    _ password: Secret<String>, of id: UserID, in tenant: Tenant, origin: AuditOrigin
  ) async throws {
    let hash = try await passwords.hash(password)
    _ = try await changing(id, expecting: nil, in: tenant) { user, tx in
      try await tx.run(SetPassword(user: id, hash: hash.reveal(), now: self.clock.now()))
      try await self.audit.record(
        AuditEvent(.userPasswordSet, origin: origin, subject: user.auditSubject),
        in: tx, tenant: tenant)
      return user
    }
  }

  /// Takes an account out of use for its erasure: it is found by its id only, and nobody signs in.
  ///
  /// False if it is unknown or marked already.
  package func markErasing(
    _ id: UserID, in tx: Transaction, tenant: Tenant, origin: AuditOrigin
  ) async throws -> Bool {
    let mark = MarkUserErasing(id: id, now: clock.now())
    guard try await tx.run(mark, in: tenant.schema) == 1 else { return false }
    try await audit.record(
      AuditEvent(.userErasing, origin: origin, subject: AuditSubject(id: id, key: nil)),
      in: tx, tenant: tenant)
    return true
  }

  private func changing(
    _ id: UserID, expecting version: Int?, in tenant: Tenant,
    _ change: (User, Transaction) async throws -> User
  ) async throws -> User {
    do {
      return try await database.transaction(in: tenant.schema) { tx in
        guard let stored = try await tx.first(LockUser(id: id)) else { throw UserError.notFound }
        guard stored.status != .erasing else { throw UserError.erasing }
        guard version == nil || version == stored.version else { throw UserError.versionMismatch }
        return try await change(try stored.opened(with: tenant.key), tx)
      }
    } catch {
      throw Self.refusal(error)
    }
  }

  private func write(
    _ user: User, claims: Claims, status: UserStatus, in tx: Transaction, _ tenant: Tenant
  ) async throws -> User {
    let now = clock.now()
    try await tx.run(
      UpdateUser(
        id: user.id, status: status,
        profile: user.key.seal(claims.members, at: .userProfile(user.id)),
        index: UserIndex(claims, key: tenant.key), now: now))
    return User(
      id: user.id, status: status, claims: claims, key: user.key, version: user.version + 1,
      createdAt: user.createdAt, updatedAt: now, lastSignInAt: user.lastSignInAt)
  }

  /// A unique violation says by its constraint which field is taken; claims collect their problems.
  static func refusal(_ error: any Error) -> any Error {
    if let errors = error as? ClaimErrors { return UserError.invalid(errors) }
    guard let error = error as? DatabaseError, error.sqlState == .uniqueViolation else {
      return error
    }
    switch error.constraint {
    case "user_account_email_index_key":
      return UserError.duplicate(ClaimError("email", "is in use by another user"))
    case "user_account_username_index_key":
      return UserError.duplicate(ClaimError("username", "is in use by another user"))
    default: return error
    }
  }
}
