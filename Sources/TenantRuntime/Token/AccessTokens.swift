import Database
import JOSE
import Platform
import Tenancy

/// What becomes of an access token after it is signed: whether it still counts.
struct AccessTokens: Sendable {
  let verifier: AccessTokenVerifier
  let clients: ClientStore
  let database: Database

  /// The token if it is one of this tenant's for this audience; nil otherwise.
  ///
  /// Without an audience any will do: for the issuer itself, which knows all of its tokens.
  func verify(_ token: Secret<String>, for audience: String? = nil, of tenant: Tenant)
    async throws -> AccessToken?
  {
    do {
      return try await verifier.verify(token.reveal(), of: tenant, audience: audience)
    } catch is JOSEError {
      return nil
    }
  }

  /// The client the token was issued to, if it may still act; usually from memory.
  func activeClient(of token: AccessToken, in tenant: Tenant) async throws -> Client? {
    guard let client = try await clients.find(token.clientID, in: tenant), client.isActive else {
      return nil
    }
    return client
  }

  /// Whether grant, user, session, client and the token itself are all still good; one round trip, and one more
  /// for a token that was exchanged.
  func isAlive(_ token: AccessToken, of tenant: Tenant) async throws -> Bool {
    guard try await activeClient(of: token, in: tenant) != nil,
      try await database.isLineageAlive(of: token, in: tenant)
    else { return false }
    guard let family = token.id.family else {
      let status = FindClientTokenStatus(
        jti: token.id.description, client: token.clientID, issuedAt: token.issuedAt)
      return try await database.first(status, in: tenant.schema) ?? false
    }
    let status = FindTokenStatus(family: ID(family), jti: token.id.description)
    return try await database.first(status, in: tenant.schema) ?? false
  }
}
