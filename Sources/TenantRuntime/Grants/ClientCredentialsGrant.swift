import Tenancy
import Web

/// `client_credentials` (OAuth 2.1 section 4.2): no user, no database.
struct ClientCredentialsGrant: Grant {
  static let type = ClientGrantType.clientCredentials

  let issuer: TokenIssuer

  struct Parameters: FormDecodable {
    let scope: String?
    let resources: ResourceIndicators

    init(_ form: Form) throws(OAuthError) {
      scope = try form.optional("scope")
      resources = try ResourceIndicators(form.all("resource"))
    }
  }

  func exchange(_ parameters: Parameters, for request: TokenRequest) async throws -> TokenSet {
    let scope = try ScopePolicy.own(
      parameters.scope, registered: request.client.metadata.scope)
    try issuer.audiences.require(parameters.resources, for: request.client, in: request.tenant)
    return try await issuer.issueToClient(
      scope: scope, resources: parameters.resources.uris, client: request.client,
      in: request.tenant)
  }
}
