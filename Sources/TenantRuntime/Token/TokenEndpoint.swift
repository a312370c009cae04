import Hummingbird
import Tenancy
import Web

/// `POST /oauth2/token` (RFC 6749 section 3.2).
struct TokenEndpoint: TenantEndpoint {
  let authenticate: ClientAuthenticator
  let grants: Grants
  let metrics: RuntimeMetrics

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.post("oauth2/token", use: respond)
  }

  func respond(to request: Request, in context: TenantContext) async throws -> TokenResponse {
    let form = try await Form(request, limit: 32 * 1024)
    let client = try await authenticate(request.headers, form, in: context)
    let grant = try grants[form.required("grant_type")]
    guard client.allows(type(of: grant).type) else {
      throw OAuthError.unauthorizedClient("not registered for \(type(of: grant).type.rawValue)")
    }
    context.note("grant", type(of: grant).type.rawValue)
    let exchange = TokenRequest(
      tenant: context.tenant, client: client,
      origin: context.origin(request, actor: .client(client.id.text)))
    let tokens = try await grant.exchange(form, for: exchange)
    metrics.tokens(by: type(of: grant).type.rawValue)
    return TokenResponse(tokens)
  }
}

/// Who asks for tokens, and where.
struct TokenRequest: Sendable {
  let tenant: Tenant
  let client: Client
  let origin: AuditOrigin
}
