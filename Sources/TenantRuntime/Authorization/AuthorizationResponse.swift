import Hummingbird
import Logging
import Web

/// An error that goes back to the application (RFC 6749 section 4.1.2.1): it takes a verified
/// redirect to make one, every earlier error is a page.
struct AuthorizationRefusal: ResponseGenerator {
  let error: OAuthError
  let redirect: VerifiedRedirect

  func response(from request: Request, context: some RequestContext) -> Response {
    if let detail = error.detail {
      context.logger.info(
        "authorization refused",
        metadata: ["reason": .string(detail), "code": .string(error.code.rawValue)])
    }
    let location = redirect.location([
      ("error", error.code.rawValue), ("error_description", error.description),
    ])
    return Redirect(to: location).response(from: request, context: context)
  }
}

/// A code that goes to the application (RFC 6749 section 4.1.2).
struct AuthorizationSuccess: ResponseGenerator {
  let code: String
  /// What the application watches the session by, if it can.
  let watch: SessionWatch?
  let redirect: VerifiedRedirect

  func response(from request: Request, context: some RequestContext) -> Response {
    let state = watch.map { [("session_state", $0.state.text)] } ?? []
    return Redirect(
      to: redirect.location([("code", code)] + state), cookies: watch?.cookies(request) ?? []
    ).response(from: request, context: context)
  }
}
