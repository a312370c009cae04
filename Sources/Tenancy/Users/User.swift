import Database
package import FoundationEssentials
package import Platform

package typealias UserID = ID<User>

/// The CHECK of `user_account.status`.
package enum UserStatus: String, SQLCodable, Sendable, Hashable, CaseIterable {
  case active
  case disabled
  /// An erasure has begun: the account can't be found, used or changed any more.
  case erasing
}

/// A user of one tenant, with their claims opened.
package struct User: Sendable {
  package let id: UserID
  package let status: UserStatus
  package let claims: Claims
  package let key: SubjectKey
  /// Grows with every change of the account; the ETag.
  package let version: Int
  package let createdAt: Date
  package let updatedAt: Date
  package let lastSignInAt: Date?

  package var auditSubject: AuditSubject { AuditSubject(id: id, key: key) }

  /// The claims that are asked for by name (OpenID Connect Core section 5.5), `updated_at` among them.
  package func released(named names: [String]) -> JSONObject {
    var released = claims.released(named: names)
    if names.contains("updated_at") { released["updated_at"] = .integer(updatedAt.unixSeconds) }
    return released
  }
}

/// A user as they are stored.
struct StoredUser: Sendable {
  let id: UserID
  let status: UserStatus
  let subjectKey: [UInt8]
  let profile: [UInt8]
  let version: Int
  let createdAt: Date
  let updatedAt: Date
  let lastSignInAt: Date?

  func opened(with tenantKey: TenantKey) throws -> User {
    let key = try tenantKey.unwrap(subjectKey, user: id)
    return User(
      id: id, status: status, claims: Claims(stored: try key.open(profile, at: .userProfile(id))),
      key: key, version: version, createdAt: createdAt, updatedAt: updatedAt,
      lastSignInAt: lastSignInAt)
  }
}

/// What a sign-in needs: the account and what the password is checked against.
package struct SignInCandidate: Sendable {
  package let user: User
  /// Argon2id in PHC form; nil for an account without a password.
  package let passwordHash: Secret<String>?
}

/// Why a change of a user was refused.
///
/// None of them carries a value.
package enum UserError: Error, Sendable, Hashable {
  case invalid(ClaimErrors)
  /// Another user of the tenant has it; the field is `email` or `username`.
  case duplicate(ClaimError)
  case notFound
  /// The version is not the expected one: somebody else changed the account meanwhile.
  case versionMismatch
  /// The account is being erased.
  case erasing
}
