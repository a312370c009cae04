import Hummingbird
import Tenancy
import Web

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery section 4) and
/// `/.well-known/oauth-authorization-server` (RFC 8414 section 3), appended to the issuer.
struct DiscoveryEndpoint: TenantEndpoint {
  let documents: PublishedDocuments

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get(".well-known/openid-configuration", use: respond)
    routes.get(".well-known/oauth-authorization-server", use: respond)
  }

  func respond(to request: Request, in context: TenantContext) async throws -> Response {
    try await documents.documents(of: context.tenant).metadata
      .response(to: request, in: context)
  }
}

/// The same document where RFC 8414 section 3.1 puts it: between host and path of the issuer.
struct InsertedDiscoveryEndpoint: TenantEndpoint {
  let documents: PublishedDocuments

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("", use: respond)
  }

  func respond(to request: Request, in context: TenantContext) async throws -> Response {
    try await documents.documents(of: context.tenant).metadata
      .response(to: request, in: context)
  }
}

/// `GET /.well-known/jwks.json` (RFC 7517 section 5).
struct KeysEndpoint: TenantEndpoint {
  let documents: PublishedDocuments

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get(".well-known/jwks.json", use: respond)
  }

  func respond(to request: Request, in context: TenantContext) async throws -> Response {
    try await documents.documents(of: context.tenant).keys.response(to: request, in: context)
  }
}
