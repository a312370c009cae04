import Compliance
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET` and `POST` of `/privacy/export` and `/privacy/erasure`, for somebody who has just signed in.
///
/// Our pages for requests under Art. 15, 17 and 20 of the GDPR.
struct PrivacyRequestEndpoint: TenantEndpoint {
  let personal: PersonalPage
  let requests: PrivacyRequests
  let sessions: Sessions
  let users: UserStore
  let pages: Pages

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("privacy/export") { request, context in
      try await ask(.export, notice: nil, request, context)
    }
    routes.get("privacy/erasure") { request, context in
      try await ask(.erasure, notice: nil, request, context)
    }
    routes.post("privacy/export", use: export)
    routes.post("privacy/erasure", use: erase)
  }

  /// The confirmation page; for an erasure it says what will happen.
  private func ask(
    _ kind: DataRequestKind, notice: Notice?, _ request: Request, _ context: TenantContext
  ) async throws -> Response {
    try await personal.open(kind.page, fresh: true, request, context) { session in
      let tenant = context.tenant
      let ticket = personal.ticket(session, request, tenant)
      let user = try await users.find(session.user, in: tenant)
      let choice: JSON = [
        "id": "understood", "name": "understood", "value": "yes",
        "label": "I understand that this cannot be undone", "checked": false,
      ]
      let page = try pages.render(
        .confirm, title: kind == .erasure ? "Delete your account" : "A copy of your data",
        owner: tenant.pageOwner,
        [
          "isErasure": .bool(kind == .erasure), "csrf": .string(ticket.value),
          "action": .string(tenant.path(kind.page.rawValue)),
          "user": .string(user?.claims.displayName ?? "You"), "notice": notice?.json ?? .null,
          "choice": kind == .erasure ? choice : .null, "back": .string(tenant.path("privacy")),
        ],
        status: notice == nil ? .ok : .badRequest, cookies: [ticket.cookie])
      return page.response(from: request, context: context)
    }
  }

  func export(_ request: Request, in context: TenantContext) async throws -> Response {
    try await personal.submit(.privacyExport, fresh: true, request, context) { session, _ in
      _ = try await open(.export, session, request, context)
      return Redirect(to: PrivacyNotice.exportAsked.location(in: context.tenant))
        .response(from: request, context: context)
    }
  }

  func erase(_ request: Request, in context: TenantContext) async throws -> Response {
    try await personal.submit(.privacyErasure, fresh: true, request, context) { session, form in
      guard try form.optional("understood") == "yes" else {
        return try await ask(
          .erasure, notice: Notice(.danger, "Tick the box to confirm."), request, context)
      }
      let opened = try await open(.erasure, session, request, context)
      let origin = context.origin(request, actor: .user(session.user))
      _ = try await sessions.end(session, in: context.tenant, origin: origin)
      let page = try pages.render(
        .erasureBegun, title: "Your account is being deleted", owner: context.tenant.pageOwner,
        [
          "organization": .string(context.tenant.name), "request": .string("\(opened.id)"),
          "due": .string(opened.dueAt.pageDay), "dueISO": .string(opened.dueAt.rfc3339),
        ],
        cookies: sessions.removals(in: context.tenant))
      return page.response(from: request, context: context)
    }
  }

  private func open(
    _ kind: DataRequestKind, _ session: Session, _ request: Request, _ context: TenantContext
  ) async throws -> DataRequest {
    do {
      return try await requests.open(
        kind, subject: session.user, channel: .selfService, in: context.tenant,
        origin: context.origin(request, actor: .user(session.user)))
    } catch is DataRequestError {
      throw Problem.conflict("The account is being deleted already.")
    }
  }
}

extension DataRequestKind {
  var page: Continuation.Page { self == .export ? .privacyExport : .privacyErasure }
}
