package import Database
package import Platform

extension UserStore {
  /// Changes an account, all of it or nothing, if it still has the version expected.
  package func change(
    _ id: UserID, by change: UserChange, expecting version: Int?, in tenant: Tenant,
    origin: AuditOrigin
  ) async throws -> User {
    precondition(change.status != .erasing, "erasure has a way of its own")
    var hash: Secret<String>?
    if let password = change.password { hash = try await passwords.hash(password) }
    let hashed = hash
    return try await changing(id, expecting: version, in: tenant) { user, tx in
      var user = user
      if let claims = change.claims {
        user = try await self.set(try claims(user.claims), of: user, in: tx, tenant, origin)
      }
      if let status = change.status {
        user = try await self.set(status, of: user, in: tx, tenant, origin)
      }
      if let hashed { try await self.set(hashed, of: user, in: tx, tenant, origin) }
      return user
    }
  }

  private func set(
    _ claims: Claims, of user: User, in tx: Transaction, _ tenant: Tenant, _ origin: AuditOrigin
  ) async throws -> User {
    let fields = claims.differences(from: user.claims)
    guard !fields.isEmpty else { return user }
    guard claims.username != nil || claims.email != nil else {
      throw UserError.invalid(
        ClaimErrors([ClaimError("username", "is required unless there is an email")]))
    }
    let changed = try await write(user, claims: claims, status: user.status, in: tx, tenant)
    try await audit.record(
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

  private func set(
    _ status: UserStatus, of user: User, in tx: Transaction, _ tenant: Tenant,
    _ origin: AuditOrigin
  ) async throws -> User {
    guard user.status != status else { return user }
    let changed = try await write(user, claims: user.claims, status: status, in: tx, tenant)
    if status != .active {
      _ = try await revocations.endEverything(of: user.id, .userDisabled, in: tx, tenant)
    }
    try await audit.record(
      AuditEvent(
        .userStatusChanged, origin: origin, subject: user.auditSubject,
        detail: ["from": .string(user.status.rawValue), "to": .string(status.rawValue)]),
      in: tx, tenant: tenant)
    return changed
  }

  /// Whoever knew the old password is signed out everywhere (our policy).
  private func set(
    _ passwordHash: Secret<String>, of user: User, in tx: Transaction, _ tenant: Tenant,
    _ origin: AuditOrigin
  ) async throws {
    let now = clock.now()
    try await tx.run(SetPassword(user: user.id, hash: passwordHash.reveal(), now: now))
    _ = try await revocations.endEverything(of: user.id, .passwordChanged, in: tx, tenant)
    try await audit.record(
      AuditEvent(.userPasswordSet, origin: origin, subject: user.auditSubject),
      in: tx, tenant: tenant)
  }

  /// Takes an account out of use for its erasure: it is found by its id only, and nobody signs in.
  ///
  /// False if it is unknown or marked already.
  package func markErasing(
    _ id: UserID, in tx: Transaction, tenant: Tenant, origin: AuditOrigin
  ) async throws -> Bool {
    let mark = MarkUserErasing(id: id, now: clock.now())
    guard try await tx.run(mark, in: tenant.schema) == 1 else { return false }
    _ = try await revocations.endEverything(of: id, .userErasing, in: tx, tenant)
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

/// What to change of an account; what is nil stays.
package struct UserChange: Sendable {
  /// New claims made of the ones there are.
  package var claims: (@Sendable (Claims) throws -> Claims)?
  package var status: UserStatus?
  package var password: Secret<String>?

  package init(
    claims: (@Sendable (Claims) throws -> Claims)? = nil, status: UserStatus? = nil,
    password: Secret<String>? = nil
  ) {
    self.claims = claims
    self.status = status
    self.password = password
  }
}
