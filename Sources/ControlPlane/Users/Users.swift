package import Compliance
import Cryptography
package import Database
import Platform
package import Tenancy
import Web

/// Creates, changes and removes the users of an organization.
package struct Users: Sendable {
  let store: UserStore
  let requests: PrivacyRequests
  let database: Database
  let idempotency: Idempotency

  package init(
    store: UserStore, requests: PrivacyRequests, database: Database, idempotency: Idempotency
  ) {
    self.store = store
    self.requests = requests
    self.database = database
    self.idempotency = idempotency
  }

  static let notFound = Problem.notFound("There is no such user.")

  /// A user that is not being erased.
  func find(_ id: String, in tenant: Tenant) async throws -> User {
    guard let id = UserID(id), let user = try await store.find(id, in: tenant),
      user.status != .erasing
    else { throw Self.notFound }
    return user
  }

  /// A new user.
  ///
  /// The password is hashed before the transaction begins.
  func create(
    _ draft: UserDraft, in tenant: Tenant, claim: IdempotencyClaim?, origin: AuditOrigin
  ) async throws -> User {
    if let earlier = try await idempotency.earlier(claim) {
      return try await again(earlier, tenant)
    }
    do {
      let prepared = try await store.prepare(draft.claims, password: draft.password, in: tenant)
      let outcome = try await idempotency.once(
        claim, organization: tenant.id, in: tenant.schema
      ) { tx in
        let user = try await store.insert(prepared, in: tx, tenant: tenant, origin: origin)
        return Creation(value: user, id: user.id.description, secret: nil)
      }
      return switch outcome {
      case .first(let user): user
      case .again(let earlier): try await again(earlier, tenant)
      }
    } catch {
      throw Self.refusal(error)
    }
  }

  private func again(_ earlier: EarlierResult, _ tenant: Tenant) async throws -> User {
    guard let id = UserID(earlier.resource), let user = try await store.find(id, in: tenant),
      user.status != .erasing
    else { throw EarlierResult.resourceGone }
    return user
  }

  /// Changes all that the patch names, or nothing.
  func update(
    _ id: String, _ patch: UserPatch, in tenant: Tenant, ifMatch: IfMatch, origin: AuditOrigin
  ) async throws -> User {
    let user = try await find(id, in: tenant)
    try ifMatch.require(ETag(version: user.version))
    // Before a password is hashed for nothing.
    _ = try patch.applied(to: user.claims)
    var change = UserChange(status: patch.status, password: patch.password)
    if !patch.claims.isEmpty { change.claims = { try $0.applying(patch.claims) } }
    do {
      return try await store.change(
        user.id, by: change, expecting: ifMatch == .any ? nil : user.version, in: tenant,
        origin: origin)
    } catch {
      throw Self.refusal(error)
    }
  }

  /// Takes the account out of use at once and has it erased.
  func delete(_ id: String, in tenant: Tenant, ifMatch: IfMatch, origin: AuditOrigin) async throws {
    let user = try await find(id, in: tenant)
    try ifMatch.require(ETag(version: user.version))
    let deleted = try await database.transaction(in: tenant.schema) { tx in
      guard try await store.markErasing(user.id, in: tx, tenant: tenant, origin: origin) else {
        return false
      }
      _ = try await requests.open(
        .erasure, subject: user.id, channel: .deletion, in: tx, tenant: tenant, origin: origin)
      return true
    }
    guard deleted else { throw Self.notFound }
  }

  /// The store's refusals in the words of the interface; everything else as it is.
  static func refusal(_ error: any Error) -> any Error {
    switch error {
    case let error as UserError: error.problem
    case PasswordHashError.busy, PasswordHashError.stopped:
      Problem.unavailable(
        "Too many passwords are being hashed at the moment. Try again.", reason: "hasher busy")
    default: error
    }
  }
}
