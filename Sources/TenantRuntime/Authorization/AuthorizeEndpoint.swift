import Cryptography
import FoundationEssentials
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET` and `POST /oauth2/authorize` (OAuth 2.1 section 4.1.1, OpenID Connect Core section 3.1.2).
struct AuthorizeEndpoint: TenantEndpoint {
  let reader: AuthorizationReader
  let sessions: Sessions
  let situations: AuthorizationSituations
  let codes: AuthorizationCodes

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("oauth2/authorize") { request, context in
      try await respond(request, AuthorizationParameters(Query(request)), context)
    }
    routes.post("oauth2/authorize") { request, context in
      let form = try await Form(request, limit: 32 * 1024)
      return try await respond(request, AuthorizationParameters(form), context)
    }
  }

  private func respond(
    _ request: Request, _ parameters: AuthorizationParameters, _ context: TenantContext
  ) async throws -> Response {
    let (client, redirect) = try await reader.redirect(parameters, in: context.tenant)
    do {
      let authorization = try AuthorizationRequest(
        parameters, client: client.metadata, redirect: redirect)
      return try await decide(authorization, client, request, context)
    } catch let error as OAuthError {
      return AuthorizationRefusal(error: error, redirect: redirect)
        .response(from: request, context: context)
    }
  }

  private func decide(
    _ authorization: AuthorizationRequest, _ client: Client, _ request: Request,
    _ context: TenantContext
  ) async throws -> Response {
    let tenant = context.tenant
    let session = try await sessions.current(request, in: tenant)
    let situation = try await situations.situation(
      of: authorization, client, session, in: tenant)
    switch authorization.decision(situation) {
    case .refuse(let error):
      throw error
    case .signIn:
      return page("login", authorization, startedAt: situation.now, request, context)
    case .askConsent:
      let started = situation.interactionStartedAt ?? session?.authenticatedAt
      return page(
        "consent", authorization, startedAt: started ?? situation.now, request, context)
    case .issue:
      guard let session else { throw OAuthError.loginRequired }
      let origin = context.origin(request, actor: .user(session.user))
      let code = try await codes.issue(
        authorization, client, session, in: tenant, origin: origin)
      return AuthorizationSuccess(
        code: code, watch: sessions.watch(session, authorization, client, in: tenant),
        redirect: authorization.redirect
      ).response(from: request, context: context)
    }
  }

  /// Sends the browser to a page of ours, the request in its pocket.
  private func page(
    _ name: String, _ authorization: AuthorizationRequest, startedAt: Date, _ request: Request,
    _ context: TenantContext
  ) -> Response {
    let tenant = context.tenant
    let ticket = InteractionTicket(startedAt: startedAt)
      .text(for: authorization.parameters, key: tenant.interactionKey)
    let continuation = Continuation(
      page: .authorize,
      query: authorization.parameters.with(InteractionTicket.parameterName, ticket).query)
    let location =
      tenant.path(name) + "?continue="
      + FormEncoding.encode(continuation.path(issuerPath: tenant.issuerPath))
    return Redirect(to: location).response(from: request, context: context)
  }
}

extension Tenant {
  /// Authenticates what travels through the browser between our own pages.
  var interactionKey: HMACKey { HMACKey(key.derive(.interaction)) }
}
