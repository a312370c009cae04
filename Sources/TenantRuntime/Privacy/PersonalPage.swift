import FoundationEssentials
import Hummingbird
import Platform
import Tenancy
import Web

/// Opens the pages of a person: only for somebody who is signed in, and for what can't be undone only
/// shortly after they signed in (design section 7).
struct PersonalPage: Sendable {
  let sessions: Sessions
  let forms: FormGuards
  let clock: WallClock

  /// Runs the page with the session, or sends the browser to sign in and back to `page`.
  func open(
    _ page: Continuation.Page, query: String = "", fresh: Bool, _ request: Request,
    _ context: TenantContext, _ body: (Session) async throws -> Response
  ) async throws -> Response {
    guard let session = try await sessions.current(request, in: context.tenant) else {
      return signIn(page, query: query, request, context)
    }
    guard !fresh || session.isFresh(clock.now()) else {
      return signIn(page, query: query, request, context)
    }
    return try await body(session)
  }

  /// The same for a form of ours: proves first that it comes from this session's page.
  func submit(
    _ page: Continuation.Page, fresh: Bool, _ request: Request, _ context: TenantContext,
    _ body: (Session, Form) async throws -> Response
  ) async throws -> Response {
    let form = try await Form(request, limit: 32 * 1024)
    return try await open(page, fresh: false, request, context) { session in
      try forms.guarding(context.tenant)
        .verify(request, form, binding: session.id.description)
      guard !fresh || session.isFresh(clock.now()) else {
        return signIn(page, query: "", request, context)
      }
      return try await body(session, form)
    }
  }

  func ticket(_ session: Session, _ request: Request, _ tenant: Tenant) -> FormTicket {
    forms.guarding(tenant).ticket(for: request, binding: session.id.description)
  }

  private func signIn(
    _ page: Continuation.Page, query: String, _ request: Request, _ context: TenantContext
  ) -> Response {
    let tenant = context.tenant
    let back = Continuation(page: page, query: query).path(issuerPath: tenant.issuerPath)
    return Redirect(to: tenant.path("login") + "?continue=" + FormEncoding.encode(back))
      .response(from: request, context: context)
  }
}
