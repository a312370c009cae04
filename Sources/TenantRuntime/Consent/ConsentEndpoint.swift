import Compliance
import Database
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET` and `POST /consent`: the person decides what an application may do.
///
/// Our page for OpenID Connect Core section 3.1.2.4 and Art. 7 of the GDPR.
struct ConsentEndpoint: TenantEndpoint {
  let reader: AuthorizationReader
  let sessions: Sessions
  let situations: AuthorizationSituations
  let codes: AuthorizationCodes
  let choices: PurposeChoices
  let users: UserStore
  let database: Database
  let audit: AuditRecorder
  let forms: FormGuards
  let pages: Pages

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("consent") { request, context in
      try await withVisit(try Query(request), request, context) { visit in
        try await show(visit, request, context)
      }
    }
    routes.post("consent") { request, context in
      let form = try await Form(request, limit: 32 * 1024)
      return try await withVisit(form, request, context) { visit in
        try forms.guarding(context.tenant)
          .verify(request, form, binding: visit.session.id.description)
        return try await decide(visit, form, request, context)
      }
    }
  }

  /// A request that waits for this user's consent.
  private struct Visit {
    let continuation: Continuation
    let authorization: AuthorizationRequest
    let client: Client
    let session: Session
    let grantedScope: OAuthScope?
  }

  /// Reads the request from the continuation as the authorization endpoint would, and goes back there
  /// when something other than consent is missing.
  private func withVisit(
    _ parameters: some Web.Parameters, _ request: Request, _ context: TenantContext,
    _ body: (Visit) async throws -> Response
  ) async throws -> Response {
    let tenant = context.tenant
    guard let text = try parameters.optional("continue"),
      let continuation = Continuation(text, issuerPath: tenant.issuerPath),
      continuation.page == .authorize
    else { throw OAuthError.invalidRequest("This link is not valid.", detail: "continue") }
    let sent = AuthorizationParameters(try Query(continuation.query))
    let (client, redirect) = try await reader.redirect(sent, in: tenant)
    do {
      let authorization = try AuthorizationRequest(
        sent, client: client.metadata, redirect: redirect)
      let session = try await sessions.current(request, in: tenant)
      let situation = try await situations.situation(
        of: authorization, client, session, in: tenant)
      switch authorization.decision(situation) {
      case .refuse(let error): throw error
      case .askConsent:
        guard let session else { throw OAuthError.loginRequired }
        return try await body(
          Visit(
            continuation: continuation, authorization: authorization, client: client,
            session: session, grantedScope: situation.grantedScope))
      case .signIn, .issue:
        return Redirect(to: continuation.path(issuerPath: tenant.issuerPath))
          .response(from: request, context: context)
      }
    } catch let error as OAuthError {
      return try AuthorizationResponse(error: error, redirect: redirect)
        .response(pages, to: request, in: context)
    }
  }

  private func show(_ visit: Visit, _ request: Request, _ context: TenantContext) async throws
    -> Response
  {
    let tenant = context.tenant
    let ticket = forms.guarding(tenant)
      .ticket(for: request, binding: visit.session.id.description)
    let user = try await users.find(visit.session.user, in: tenant)
    let undecided = try await choices.undecided(for: visit.session.user, in: tenant)
    let notice = try await choices.consents.notice(
      of: ConsentPurpose.application, language: PurposeChoices.language, in: tenant)
    let scopes = visit.authorization.consentScope.tokens.map { token -> JSON in
      let words = ScopeWords(token)
      return ["label": .string(words.label), "hint": .optional(words.hint)]
    }
    let boxes = undecided.map { choice -> JSON in
      [
        "id": .string("purpose-\(choice.purpose.id)"), "name": "purpose",
        "value": .string(choice.value), "label": .string(choice.purpose.name),
        "hint": .string(choice.text), "checked": false,
      ]
    }
    let page = try pages.render(
      .consent, title: "Allow access", owner: tenant.pageOwner,
      [
        "action": .string(tenant.path("consent")), "csrf": .string(ticket.value),
        "continue": .string(visit.continuation.path(issuerPath: tenant.issuerPath)),
        "organization": .string(tenant.name), "application": .string(visit.client.displayName),
        "user": .string(user?.claims.displayName ?? "You"), "scopes": .array(scopes),
        "asks": .bool(!boxes.isEmpty), "purposes": .array(boxes),
        "privacy": .string(tenant.path("privacy")), "notice": .optional(notice?.body),
        "resources": .strings(visit.authorization.resources.uris),
        "client": visit.client.pageMembers,
      ],
      forms: .redirecting(to: visit.authorization.redirect.uri), image: visit.client.logo,
      cookies: [ticket.cookie])
    return page.response(from: request, context: context)
  }

  private func decide(
    _ visit: Visit, _ form: Form, _ request: Request, _ context: TenantContext
  ) async throws -> Response {
    let origin = context.origin(request, actor: .user(visit.session.user))
    switch try form.required("decision") {
    case "accept":
      let offered = try await choices.undecided(for: visit.session.user, in: context.tenant)
      let ticked = Set(form.all("purpose"))
      // A text that changed while the page was open is shown again, not agreed to unseen.
      guard ticked.isSubset(of: offered.map(\.value)) else {
        return try await show(visit, request, context)
      }
      let purposes = offered.filter { ticked.contains($0.value) }.map(\.purpose.id)
      let code = try await accept(visit, purposes, origin, context.tenant)
      return try AuthorizationResponse(
        code: code,
        watch: sessions.watch(
          visit.session, visit.authorization, visit.client, in: context.tenant),
        redirect: visit.authorization.redirect
      ).response(pages, to: request, in: context)
    case "deny":
      try await audit.record(
        AuditEvent(
          .authorizationDenied, .failure, origin: origin,
          subject: AuditSubject(id: visit.session.user, key: nil),
          detail: ["client_id": .string(visit.client.id.text)]),
        tenant: context.tenant)
      throw OAuthError.accessDenied
    default:
      throw OAuthError.invalidRequest("decision must be accept or deny.")
    }
  }

  /// Consent, purposes and code stand or fall together.
  private func accept(
    _ visit: Visit, _ purposes: [String], _ origin: AuditOrigin, _ tenant: Tenant
  ) async throws -> String {
    let scope = visit.authorization.consentScope.union(visit.grantedScope ?? .none)
    let targets =
      [ConsentDecision.Target.application(visit.client.id, scope: scope.description)]
      + purposes.map { .purpose($0) }
    return try await database.transaction(in: tenant.schema) { tx in
      let code = try await codes.issue(
        visit.authorization, visit.client, visit.session, in: tx, tenant: tenant)
      for target in targets {
        try await choices.consents.record(
          ConsentDecision(
            .granted, target, language: PurposeChoices.language, method: .consentPage),
          of: visit.session.user, in: tx, tenant: tenant, origin: origin)
      }
      try await audit.record(
        codes.granted(visit.authorization, visit.client, visit.session, origin), in: tx,
        tenant: tenant)
      return code
    }
  }
}
