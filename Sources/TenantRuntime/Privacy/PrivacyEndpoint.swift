import Hummingbird
import Tenancy
import Web

/// `GET /privacy`: what is kept about a person, and what they can do about it.
///
/// Our page for Art. 12(2) of the GDPR; `/` of the issuer leads there.
struct PrivacyEndpoint: TenantEndpoint {
  let personal: PersonalPage
  let summary: PrivacySummary
  let pages: Pages

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("privacy", use: show)
    routes.get("") { request, context in
      Redirect(to: context.tenant.path("privacy")).response(from: request, context: context)
    }
  }

  func show(_ request: Request, in context: TenantContext) async throws -> Response {
    let done = try Query(request).optional("done").flatMap(PrivacyNotice.init(rawValue:))
    return try await personal.open(.privacy, fresh: false, request, context) { session in
      let ticket = personal.ticket(session, request, context.tenant)
      let page = try pages.render(
        .privacy, title: "Your privacy", owner: context.tenant.pageOwner,
        try await summary.data(
          of: session.user, csrf: ticket.value, notice: done, in: context.tenant),
        width: .wide, cookies: [ticket.cookie])
      return page.response(from: request, context: context)
    }
  }
}

/// What was just done; the privacy page confirms it.
enum PrivacyNotice: String, Sendable {
  case exportAsked = "export"
  case applicationWithdrawn = "application"
  case agreed
  case withdrawn

  var notice: Notice {
    switch self {
    case .exportAsked:
      Notice(
        .success, "We are preparing your copy. It appears under “Your requests” when it is ready.")
    case .applicationWithdrawn:
      Notice(.success, "The application no longer has access.")
    case .agreed:
      Notice(.success, "Thank you. You can change your mind at any time.")
    case .withdrawn:
      Notice(.success, "Withdrawn. Nothing more happens on this ground from now on.")
    }
  }

  func location(in tenant: Tenant) -> String { tenant.path("privacy") + "?done=\(rawValue)" }
}
