import Cryptography
import FoundationEssentials
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET` and `POST /oauth2/authorize` (OAuth 2.1 section 4.1.1, OpenID Connect Core section 3.1.2).
struct AuthorizeEndpoint: TenantEndpoint {
  /// What still fits, escaped twice, into the address of a page.
  static let carriedBytesMax = 8 * 1024

  let reader: AuthorizationReader
  let objects: RequestObjects
  let sessions: Sessions
  let situations: AuthorizationSituations
  let codes: AuthorizationCodes
  let pages: Pages
  let admission: SignInAdmission

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
    _ request: Request, _ sent: AuthorizationParameters, _ context: TenantContext
  ) async throws -> Response {
    let tenant = context.tenant
    let unverified = try UnverifiedAuthorizationRequest(sent)
    let client = try await reader.client(of: unverified, in: tenant)
    let resolved: AuthorizationParameters
    do {
      resolved = try await objects.resolve(sent, client, in: tenant)
    } catch let error as OAuthError {
      // The object's own redirect URI is not known then: the one outside may be as good.
      guard
        let redirect = try? unverified.verifyRedirect(
          registered: client.metadata, issuer: tenant.issuer)
      else { throw error }
      return try refuse(error, redirect, request, context)
    }
    let redirect = try UnverifiedAuthorizationRequest(resolved)
      .verifyRedirect(registered: client.metadata, issuer: tenant.issuer)
    do {
      let authorization = try AuthorizationRequest(
        resolved, client: client.metadata, redirect: redirect)
      return try await decide(authorization, client, request, context)
    } catch let error as OAuthError {
      return try refuse(error, redirect, request, context)
    }
  }

  private func refuse(
    _ error: OAuthError, _ redirect: VerifiedRedirect, _ request: Request, _ context: TenantContext
  ) throws -> Response {
    try AuthorizationResponse(error: error, redirect: redirect)
      .response(pages, to: request, in: context)
  }

  private func decide(
    _ authorization: AuthorizationRequest, _ client: Client, _ request: Request,
    _ context: TenantContext
  ) async throws -> Response {
    let tenant = context.tenant
    if sessions.comesWithoutCookie(request, in: tenant) {
      let again = try continuation(authorization.parameters, tenant)
      return Redirect(to: again).response(from: request, context: context)
    }
    let session = try await sessions.current(request, in: tenant)
    let situation = try await situations.situation(
      of: authorization, client, session, in: tenant)
    switch authorization.decision(situation) {
    case .refuse(let error):
      throw error
    case .signIn:
      try admission.check()
      return try page("login", authorization, startedAt: situation.now, request, context)
    case .askConsent:
      let started = situation.interactionStartedAt ?? session?.authenticatedAt
      return try page(
        "consent", authorization, startedAt: started ?? situation.now, request, context)
    case .issue:
      guard let session else { throw OAuthError.loginRequired }
      let origin = context.origin(request, actor: .user(session.user))
      let code = try await codes.issue(
        authorization, client, session, in: tenant, origin: origin)
      return try AuthorizationResponse(
        code: code, watch: sessions.watch(session, authorization, client, in: tenant),
        redirect: authorization.redirect
      ).response(pages, to: request, in: context)
    }
  }

  /// Sends the browser to a page of ours, the request in its pocket.
  private func page(
    _ name: String, _ authorization: AuthorizationRequest, startedAt: Date, _ request: Request,
    _ context: TenantContext
  ) throws -> Response {
    let tenant = context.tenant
    let ticket = InteractionTicket(startedAt: startedAt)
      .text(for: authorization.parameters, key: tenant.interactionKey)
    let back = try continuation(
      authorization.parameters.with(InteractionTicket.parameterName, ticket), tenant)
    return Redirect(to: tenant.path(name) + "?continue=" + FormEncoding.encode(back))
      .response(from: request, context: context)
  }

  /// Where the same request is asked again by GET.
  private func continuation(_ parameters: AuthorizationParameters, _ tenant: Tenant)
    throws(OAuthError) -> String
  {
    let query = parameters.query
    guard query.utf8.count <= Self.carriedBytesMax else {
      throw .invalidRequest("The request is too long to go through the sign-in page.")
    }
    return Continuation(page: .authorize, query: query).path(issuerPath: tenant.issuerPath)
  }
}

extension Tenant {
  /// Authenticates what travels through the browser between our own pages.
  var interactionKey: HMACKey { key.macKey(.interaction) }
}
