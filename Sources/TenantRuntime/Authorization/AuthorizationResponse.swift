import Hummingbird
import Logging
import Platform
import Tenancy
import Web

/// An answer that goes back to the application (RFC 6749 section 4.1.2): it takes a verified redirect
/// to make one, every earlier error is a page.
struct AuthorizationResponse {
  /// What it says, by parameter.
  private let result: [(String, String)]
  private let redirect: VerifiedRedirect
  private let error: OAuthError?
  private let watch: SessionWatch?

  /// A code, and what the application watches the session by, if it can.
  init(code: String, watch: SessionWatch?, redirect: VerifiedRedirect) {
    result = [("code", code)] + (watch.map { [("session_state", $0.state.text)] } ?? [])
    self.redirect = redirect
    self.watch = watch
    error = nil
  }

  /// An error (RFC 6749 section 4.1.2.1).
  init(error: OAuthError, redirect: VerifiedRedirect) {
    result = [("error", error.code.rawValue), ("error_description", error.description)]
    self.redirect = redirect
    self.error = error
    watch = nil
  }

  func response(_ pages: Pages, to request: Request, in context: TenantContext) throws -> Response {
    if let error, let detail = error.detail {
      context.log.info(
        "authorization refused",
        metadata: ["reason": .string(detail), "code": .string(error.code.rawValue)])
    }
    let cookies = watch?.cookies(request) ?? []
    switch redirect.mode {
    case .query:
      return Redirect(to: redirect.location(result), cookies: cookies)
        .response(from: request, context: context)
    case .formPost:
      let fields = redirect.fields(result).map { name, value -> JSON in
        ["name": .string(name), "value": .string(value)]
      }
      let page = try pages.render(
        .formPost, title: "Continue", owner: context.tenant.pageOwner,
        ["action": .string(redirect.uri), "fields": .array(fields)],
        forms: .posting(to: redirect.uri, origins: redirect.origins), script: .submitsForm,
        cookies: cookies)
      return page.response(from: request, context: context)
    }
  }
}

extension InlineScript {
  /// Presses the button of the page (Form Post Response Mode section 2).
  static let submitsForm = InlineScript(#"document.getElementById("submit").click()"#)
}
