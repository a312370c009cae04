import Cryptography
package import Database
package import Platform

/// The users of a tenant: created, found, changed; every change with its audit event in the same
/// transaction.
package struct UserStore: Sendable {
  let database: Database
  let passwords: Passwords
  let revocations: Revocations
  let audit: AuditRecorder
  let clock: WallClock
  let random: RandomSource

  package init(
    database: Database, passwords: Passwords, revocations: Revocations, audit: AuditRecorder,
    clock: WallClock, random: RandomSource
  ) {
    self.database = database
    self.passwords = passwords
    self.revocations = revocations
    self.audit = audit
    self.clock = clock
    self.random = random
  }

  /// Whether whoever has not typed a password yet should come back later.
  package var isCrowded: Bool { passwords.isCrowded }

  // MARK: Create

  /// A new account with or without a password.
  package func create(
    _ claims: Claims, password: Secret<String>?, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> User {
    let prepared = try await prepare(claims, password: password, in: tenant)
    do {
      return try await database.transaction(in: tenant.schema) { tx in
        try await insert(prepared, in: tx, tenant: tenant, origin: origin)
      }
    } catch {
      throw Self.refusal(error)
    }
  }

  /// All that needs time and no transaction: keys, seals, the password's hash.
  package func prepare(_ claims: Claims, password: Secret<String>?, in tenant: Tenant)
    async throws -> PreparedUser
  {
    guard claims.username != nil || claims.email != nil else {
      throw UserError.invalid(
        ClaimErrors([ClaimError("username", "is required unless there is an email")]))
    }
    let hash: Secret<String>? =
      if let password { try await passwords.hash(password) } else { nil }
    let id = UserID.generate(clock, random)
    return PreparedUser(
      id: id, claims: claims, key: .generate(tenant: tenant.id, user: id), passwordHash: hash)
  }

  /// Inserts in the caller's transaction; a duplicate surfaces there as ``UserError/duplicate(_:)``.
  package func insert(
    _ user: PreparedUser, in tx: Transaction, tenant: Tenant, origin: AuditOrigin
  ) async throws -> User {
    let now = clock.now()
    do {
      try await tx.run(
        InsertUser(
          id: user.id, subjectKey: tenant.key.wrap(user.key),
          profile: user.key.seal(user.claims.members, at: .userProfile(user.id)),
          index: UserIndex(user.claims, key: tenant.key), now: now),
        in: tenant.schema)
    } catch {
      throw Self.refusal(error)
    }
    if let hash = user.passwordHash {
      try await tx.run(
        SetPassword(user: user.id, hash: hash.reveal(), now: now), in: tenant.schema)
    }
    try await audit.record(
      AuditEvent(
        .userCreated, origin: origin, subject: AuditSubject(id: user.id, key: user.key),
        detail: ["password": .bool(user.passwordHash != nil)]),
      in: tx, tenant: tenant)
    return User(
      id: user.id, status: .active, claims: user.claims, key: user.key, version: 1,
      createdAt: now, updatedAt: now, lastSignInAt: nil)
  }

  // MARK: Find

  /// Also finds an account that is being erased; look at its status.
  package func find(_ id: UserID, in tenant: Tenant) async throws -> User? {
    try await database.first(FindUser(id: id), in: tenant.schema)?.opened(with: tenant.key)
  }

  package func find(_ id: UserID, in tx: Transaction, tenant: Tenant) async throws -> User? {
    try await tx.first(FindUser(id: id), in: tenant.schema)?.opened(with: tenant.key)
  }

  package func find(email: String, in tenant: Tenant) async throws -> User? {
    guard let index = tenant.key.blindIndex(.email, email) else { return nil }
    return try await database.first(FindUserByEmail(index: index), in: tenant.schema)?
      .opened(with: tenant.key)
  }

  package func find(username: String, in tenant: Tenant) async throws -> User? {
    guard let index = tenant.key.blindIndex(.username, username) else { return nil }
    return try await database.first(FindUserByUsername(index: index), in: tenant.schema)?
      .opened(with: tenant.key)
  }

  /// The account an e-mail address or user name belongs to, with what its password is checked
  /// against, in one round trip.
  package func findForSignIn(_ identifier: String, in tenant: Tenant) async throws
    -> SignInCandidate?
  {
    try await database.first(
      FindSignInCandidate(
        email: tenant.key.blindIndex(.email, identifier),
        username: tenant.key.blindIndex(.username, identifier)),
      in: tenant.schema
    )?.opened(with: tenant.key)
  }

  /// The same for somebody known, who confirms their password.
  package func findForSignIn(_ id: UserID, in tenant: Tenant) async throws -> SignInCandidate? {
    try await database.first(FindSignInCandidateByID(id: id), in: tenant.schema)?
      .opened(with: tenant.key)
  }

  /// Whether the password is the candidate's.
  ///
  /// An unknown user, an account without a password or out of use costs the same and is false.
  package func verify(_ password: Secret<String>, of candidate: SignInCandidate?) async throws
    -> Bool
  {
    let hash = candidate?.user.status == .active ? candidate?.passwordHash : nil
    return try await passwords.verify(password, against: hash)
  }

  /// A page in the order of creation; accounts that are being erased are left out.
  package func list(after: UserID?, limit: Int, in tenant: Tenant) async throws -> [User] {
    try await database.all(ListUsers(after: after, limit: limit), in: tenant.schema)
      .map { try $0.opened(with: tenant.key) }
  }
}

/// A user ready to be inserted.
package struct PreparedUser: Sendable {
  package let id: UserID
  package let claims: Claims
  let key: SubjectKey
  let passwordHash: Secret<String>?
}

extension StoredSignInCandidate {
  func opened(with key: TenantKey) throws -> SignInCandidate {
    SignInCandidate(user: try user.opened(with: key), passwordHash: secret.map { Secret($0) })
  }
}
