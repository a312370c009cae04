import Tenancy
import Web

/// Takes an authorization request from its parameters to a proven redirect, wherever it comes from:
/// the endpoint itself, or a page it went through.
struct AuthorizationReader: Sendable {
  let clients: ClientStore

  /// Throws what can only be shown on a page.
  func redirect(_ parameters: AuthorizationParameters, in tenant: Tenant) async throws
    -> (Client, VerifiedRedirect)
  {
    let unverified = try UnverifiedAuthorizationRequest(parameters)
    guard let client = try await clients.find(unverified.clientID, in: tenant), client.isActive
    else { throw OAuthError.unknownClient }
    return (
      client, try unverified.verifyRedirect(registered: client.metadata, issuer: tenant.issuer)
    )
  }
}

extension Client {
  /// What pages call the application.
  var displayName: String { metadata.name ?? "An application" }
}
