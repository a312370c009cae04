package import Platform
package import Tenancy
import Web

/// Registers, changes and removes the applications of an organization.
package struct Clients: Sendable {
  let store: ClientStore
  let idempotency: Idempotency

  package init(store: ClientStore, idempotency: Idempotency) {
    self.store = store
    self.idempotency = idempotency
  }

  static let notFound = Problem.notFound("There is no such client.")

  func find(_ id: String, in tenant: Tenant) async throws -> Client {
    guard let id = ClientID(id), let client = try await store.find(id, in: tenant) else {
      throw Self.notFound
    }
    return client
  }

  /// A new client.
  ///
  /// A repeat of the request shows the same secret again.
  package func create(
    _ metadata: ClientMetadata, in tenant: Tenant, claim: IdempotencyClaim?, origin: AuditOrigin
  ) async throws -> ShownClient {
    if let earlier = try await idempotency.earlier(claim) {
      return try await again(earlier, tenant)
    }
    let outcome = try await idempotency.once(claim, organization: tenant.id, in: tenant.schema) {
      tx in
      let issued = try await store.create(metadata, in: tx, tenant: tenant, origin: origin)
      return Creation(value: issued, id: issued.client.id.text, secret: issued.secret)
    }
    return switch outcome {
    case .first(let issued): ShownClient(issued)
    case .again(let earlier): try await again(earlier, tenant)
    }
  }

  func update(
    _ id: String, in tenant: Tenant, ifMatch: IfMatch, origin: AuditOrigin,
    _ change: @Sendable (ClientMetadata) throws -> ClientMetadata
  ) async throws -> ShownClient {
    let client = try await find(id, in: tenant)
    try ifMatch.require(client.etag)
    do {
      return ShownClient(
        try await store.update(
          client.id, expecting: ifMatch == .any ? nil : client.version, in: tenant, origin: origin,
          change))
    } catch let error as ClientError {
      throw error.problem
    }
  }

  /// A disabled client is nobody: it gets no tokens, and those it has are refused from now on.
  func setStatus(_ status: ClientStatus, of id: String, in tenant: Tenant, origin: AuditOrigin)
    async throws -> ShownClient
  {
    let client = try await find(id, in: tenant)
    do {
      return ShownClient(
        client: try await store.setStatus(
          status, of: client.id, expecting: nil, in: tenant, origin: origin),
        secret: nil)
    } catch let error as ClientError {
      throw error.problem
    }
  }

  func delete(_ id: String, in tenant: Tenant, ifMatch: IfMatch, origin: AuditOrigin) async throws {
    let client = try await find(id, in: tenant)
    try ifMatch.require(client.etag)
    do {
      try await store.delete(
        client.id, expecting: ifMatch == .any ? nil : client.version, in: tenant, origin: origin)
    } catch let error as ClientError {
      throw error.problem
    }
  }

  /// A new secret; the one before is void at once.
  ///
  /// Whoever loses the answer asks again.
  func rotateSecret(_ id: String, in tenant: Tenant, origin: AuditOrigin) async throws
    -> ShownClient
  {
    let client = try await find(id, in: tenant)
    do {
      return ShownClient(
        try await store.rotateSecret(of: client.id, in: tenant, origin: origin))
    } catch let error as ClientError {
      throw error.problem
    }
  }

  private func again(_ earlier: EarlierResult, _ tenant: Tenant) async throws -> ShownClient {
    guard let id = ClientID(earlier.resource), let client = try await store.find(id, in: tenant)
    else { throw EarlierResult.resourceGone }
    return ShownClient(client: client, secret: earlier.secret)
  }
}

/// A client as an answer shows it: with the secret that was made for it, or without.
package struct ShownClient: Sendable {
  package let client: Client
  package let secret: Secret<String>?

  init(client: Client, secret: Secret<String>?) {
    self.client = client
    self.secret = secret
  }

  init(_ issued: IssuedClient) {
    self.init(client: issued.client, secret: issued.secret)
  }

  /// RFC 7591 section 3.2.1: secrets that do not expire have `client_secret_expires_at` 0.
  var json: JSONObject {
    var object = client.adminJSON
    if let secret {
      object["client_secret"] = .string(secret.reveal())
      object["client_secret_expires_at"] = 0
    }
    return object
  }
}

extension ClientError {
  /// What the interface answers.
  var problem: Problem {
    switch self {
    case .invalid(let errors): errors.problem
    case .notFound: Clients.notFound
    case .versionMismatch: .preconditionFailed
    case .noSecret: .conflict("A public client has no secret.")
    case .tooMany: .conflict("Too many clients have registered themselves.")
    }
  }
}

extension Client {
  /// Its metadata with what only administrators see.
  var adminJSON: JSONObject { json.merging(["status": .string(status.rawValue)]) }

  var etag: ETag { ETag(version: version) }
}
