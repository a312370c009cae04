import Platform
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
    let client = try await client(of: unverified, in: tenant)
    return (
      client, try unverified.verifyRedirect(registered: client.metadata, issuer: tenant.issuer)
    )
  }

  func client(of request: UnverifiedAuthorizationRequest, in tenant: Tenant) async throws -> Client
  {
    guard let client = try await clients.find(request.clientID, in: tenant), client.isActive
    else { throw OAuthError.unknownClient }
    return client
  }
}

extension Client {
  /// What pages call the application.
  var displayName: String { metadata.name ?? "An application" }

  /// What pages show of the application besides its name (RFC 7591 section 2).
  var pageMembers: JSON {
    [
      "logo": .optional(logo?.address), "policy": .optional(metadata.policyURI),
      "terms": .optional(metadata.termsURI),
      "links": .bool(metadata.policyURI != nil || metadata.termsURI != nil),
    ]
  }

  var logo: ForeignImage? { metadata.logoURI.flatMap { ForeignImage($0) } }
}
