import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET` and `POST /oidc/logout` (OpenID Connect RP-Initiated Logout 1.0 section 2).
struct LogoutEndpoint: TenantEndpoint {
  static let stateBytesMax = 2048

  let sessions: Sessions
  let clients: ClientStore
  let hints: IDTokenHintVerifier
  let forms: FormGuards
  let pages: Pages

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("oidc/logout") { request, context in
      try await respond(request, Query(request), confirmation: nil, context)
    }
    routes.post("oidc/logout") { request, context in
      let form = try await Form(request, limit: 32 * 1024)
      // Applications may post here, too; only our own page sends the confirmation.
      return try await respond(
        request, form, confirmation: try form.flag("confirm") ? form : nil, context)
    }
  }

  private func respond(
    _ request: Request, _ parameters: some Web.Parameters, confirmation: Form?,
    _ context: TenantContext
  ) async throws -> Response {
    let tenant = context.tenant
    let target = try await target(parameters, in: tenant)
    if sessions.comesWithoutCookie(request, in: tenant) {
      let query = FormEncoding.encode(target.fields.map { ($0.name, $0.value) })
      return Redirect(to: tenant.path("oidc/logout") + (query.isEmpty ? "" : "?\(query)"))
        .response(from: request, context: context)
    }
    let session = try await sessions.current(request, in: tenant)
    let situation = LogoutSituation(
      session: session?.id, hint: target.about(session, in: tenant),
      isConfirmed: confirmation != nil)
    if let confirmation, let session {
      try forms.guarding(tenant).verify(request, confirmation, binding: session.id.description)
    }
    switch situation.decision {
    case .confirm:
      return try ask(target, session, request, context)
    case .nothing:
      let frames = FrontChannelLogout([], issuer: tenant.issuer)
      return try end(target, frames, isConfirmed: false, request, context)
    case .end:
      var applications: [SessionClient] = []
      if let session {
        let origin = context.origin(request, actor: .user(session.user))
        applications = try await sessions.end(session, in: tenant, origin: origin)
      }
      let frames = FrontChannelLogout(applications, issuer: tenant.issuer)
      return try end(target, frames, isConfirmed: confirmation != nil, request, context)
    }
  }

  /// Where the browser goes afterwards, if that is proven.
  private struct Target {
    let hint: IDTokenHint?
    let client: Client?
    let location: String?
    let fields: [(name: String, value: String)]

    var application: String? { client?.displayName }

    func about(_ session: Session?, in tenant: Tenant) -> LogoutSituation.Hint? {
      guard let hint, let client, let session else { return nil }
      return LogoutSituation.Hint(
        session: hint.session,
        namesUser: hint.names(session.user, client: client.metadata, in: tenant))
    }
  }

  private func target(_ parameters: some Web.Parameters, in tenant: Tenant) async throws -> Target {
    let text = try parameters.optional("id_token_hint")
    let named = try parameters.optional("client_id")
    let uri = try parameters.optional("post_logout_redirect_uri")
    let state = try parameters.optional("state", max: Self.stateBytesMax)
    var hint: IDTokenHint?
    if let text {
      guard let verified = try await hints.hint(text, of: tenant) else {
        throw OAuthError.invalidRequest("This sign-out link is not valid.", detail: "id_token_hint")
      }
      if let named, named != verified.clientID.text {
        throw OAuthError.invalidRequest("This sign-out link is not valid.", detail: "client_id")
      }
      hint = verified
    }
    let client = try await client(hint?.clientID ?? named.flatMap(ClientID.init), in: tenant)
    let fields = [
      ("id_token_hint", text), ("client_id", named), ("post_logout_redirect_uri", uri),
      ("state", state),
    ].compactMap { name, value in value.map { (name, $0) } }
    guard let uri else {
      return Target(hint: hint, client: client, location: nil, fields: fields)
    }
    // Section 3: never to an address that is not registered.
    guard let client else {
      return Target(hint: hint, client: nil, location: nil, fields: fields)
    }
    guard client.metadata.postLogoutRedirectURIs.contains(uri) else {
      throw OAuthError.invalidRequest(
        "The address to return to is not registered.", detail: "post_logout_redirect_uri")
    }
    let separator = uri.contains("?") ? "&" : "?"
    let location = state.map { uri + separator + FormEncoding.encode([("state", $0)]) } ?? uri
    return Target(hint: hint, client: client, location: location, fields: fields)
  }

  private func client(_ id: ClientID?, in tenant: Tenant) async throws -> Client? {
    guard let id, let client = try await clients.find(id, in: tenant), client.isActive else {
      return nil
    }
    return client
  }

  private func ask(
    _ target: Target, _ session: Session?, _ request: Request, _ context: TenantContext
  ) throws -> Response {
    let tenant = context.tenant
    let ticket = forms.guarding(tenant)
      .ticket(for: request, binding: session?.id.description ?? "")
    let fields = target.fields.map { field -> JSON in
      ["name": .string(field.name), "value": .string(field.value)]
    }
    let page = try pages.render(
      .logout, title: "Sign out", owner: tenant.pageOwner,
      [
        "action": .string(tenant.path("oidc/logout")), "csrf": .string(ticket.value),
        "fields": .array(fields), "organization": .string(tenant.name),
        "application": .optional(target.application), "stay": .string(tenant.path("privacy")),
      ],
      forms: target.location.map { .redirecting(to: $0) } ?? .ownOrigin, cookies: [ticket.cookie])
    return page.response(from: request, context: context)
  }

  /// Section 3: without a hint the address needs other means of proof: here the user, who saw which
  /// application asks, and the application's registration.
  private func end(
    _ target: Target, _ frames: FrontChannelLogout, isConfirmed: Bool, _ request: Request,
    _ context: TenantContext
  ) throws -> Response {
    let tenant = context.tenant
    let removals = sessions.removals(in: tenant)
    let location = target.hint != nil || isConfirmed ? target.location : nil
    if let location, frames.frames.isEmpty {
      return Redirect(to: location, cookies: removals).response(from: request, context: context)
    }
    let page = try pages.render(
      .signedOut, title: "Signed out", owner: tenant.pageOwner,
      [
        "organization": .string(tenant.name), "login": .string(tenant.path("login")),
        "frames": .strings(frames.frames), "continue": .optional(location),
      ],
      frames: frames.origins, cookies: removals)
    var response = page.response(from: request, context: context)
    if let location {
      // The browser goes on by itself, without a script (HTML, "pragma directives", Refresh).
      response.headers[.refresh] = "\(FrontChannelLogout.waitSeconds); url=\(location)"
    }
    return response
  }
}
