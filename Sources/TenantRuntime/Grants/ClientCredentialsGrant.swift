import Tenancy
import Web

/// `client_credentials` (OAuth 2.1 section 4.2): no user, no database.
struct ClientCredentialsGrant: Grant {
  static let type = ClientGrantType.clientCredentials

  let issuer: TokenIssuer

  struct Parameters: FormDecodable {
    let scope: String?

    init(_ form: Form) throws(OAuthError) {
      scope = try form.optional("scope")
    }
  }

  func exchange(_ parameters: Parameters, for request: TokenRequest) async throws -> TokenSet {
    let scope = try ScopePolicy.own(
      parameters.scope, registered: request.client.metadata.scope)
    return try await issuer.issueToClient(scope: scope, client: request.client, in: request.tenant)
  }
}
