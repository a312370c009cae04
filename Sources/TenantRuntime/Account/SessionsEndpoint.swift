import FoundationEssentials
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET /account/sessions` and its forms: where somebody is signed in, and the end of it.
///
/// Our page; what it ends is told to applications by back-channel logout.
struct SessionsEndpoint: TenantEndpoint {
  let personal: PersonalPage
  let sessions: Sessions
  let users: UserStore
  let pages: Pages

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("account/sessions", use: show)
    routes.post("account/sessions/end", use: end)
    routes.post("account/sessions/end-others", use: endOthers)
  }

  func show(_ request: Request, in context: TenantContext) async throws -> Response {
    let isDone = try Query(request).optional("done") == "ended"
    return try await personal.open(.accountSessions, fresh: false, request, context) { current in
      let tenant = context.tenant
      guard let user = try await users.find(current.user, in: tenant) else {
        throw Problem.notFound()
      }
      let listed = try await sessions.revocations.sessions(of: user, in: tenant)
      let ticket = personal.ticket(current, request, tenant)
      let page = try pages.render(
        .sessions, title: "Where you are signed in", owner: tenant.pageOwner,
        [
          "organization": .string(tenant.name), "csrf": .string(ticket.value),
          "user": .string(user.claims.displayName ?? "You"),
          "notice": isDone ? Notice(.success, "Signed out there.").json : .null,
          "end": .string(tenant.path("account/sessions/end")),
          "endOthers": .string(tenant.path("account/sessions/end-others")),
          "hasOthers": .bool(listed.contains { $0.session.id != current.id }),
          "privacy": .string(tenant.path("privacy")),
          "sessions": .array(listed.map { Self.row($0, current: current.id) }),
        ],
        width: .wide, cookies: [ticket.cookie])
      return page.response(from: request, context: context)
    }
  }

  /// Ends one of the user's own sessions; somebody else's does not exist for them.
  func end(_ request: Request, in context: TenantContext) async throws -> Response {
    try await personal.submit(.accountSessions, fresh: false, request, context) { current, form in
      let tenant = context.tenant
      guard let id = ID<Session>(try form.required("session")) else {
        throw Problem.notFound("There is no such session.")
      }
      let revoked = try await sessions.revocations.revoke(
        id, of: current.user, in: tenant,
        origin: context.origin(request, actor: .user(current.user)))
      guard revoked.sessions > 0 else { throw Problem.notFound("There is no such session.") }
      guard id == current.id else { return done(request, context) }
      return Redirect(to: tenant.path("login"), cookies: sessions.removals(in: tenant))
        .response(from: request, context: context)
    }
  }

  func endOthers(_ request: Request, in context: TenantContext) async throws -> Response {
    try await personal.submit(.accountSessions, fresh: false, request, context) { current, _ in
      _ = try await sessions.revocations.revokeSessions(
        of: current.user, except: current.id, in: context.tenant,
        origin: context.origin(request, actor: .user(current.user)))
      return done(request, context)
    }
  }

  private func done(_ request: Request, _ context: TenantContext) -> Response {
    Redirect(to: context.tenant.path("account/sessions") + "?done=ended")
      .response(from: request, context: context)
  }

  private static func row(_ listed: ListedSession, current: ID<Session>) -> JSON {
    let session = listed.session
    return [
      "id": .string(session.id.description), "device": .string(DeviceName.words(listed.userAgent)),
      "address": .optional(listed.ipAddress),
      "since": .string(session.authenticatedAt.pageTime),
      "sinceISO": .string(session.authenticatedAt.rfc3339),
      "current": .bool(session.id == current),
    ]
  }
}

extension Date {
  /// A moment as pages show it, in UTC: “21 November 2026, 14:05 UTC”.
  fileprivate var pageTime: String {
    let minutes = (unixSeconds % 86_400) / 60
    let clock = [minutes / 60, minutes % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
    return "\(pageDay), \(clock.joined(separator: ":")) UTC"
  }
}
