import Hummingbird
import Platform
import Tenancy
import Web

/// What an application needs to watch a session (OpenID Connect Session Management 1.0 section 2), and
/// what the browser needs for it.
struct SessionWatch: Sendable {
  let state: SessionState
  private let cookie: SetCookie
  private let browserState: BrowserState

  fileprivate init(state: SessionState, browserState: BrowserState, cookie: CookieName) {
    self.state = state
    self.browserState = browserState
    self.cookie = cookie.set(browserState.value)
  }

  /// The browser's state, where it has lost it.
  func cookies(_ request: Request) -> [SetCookie] {
    request.cookie(cookie.name) == browserState.value ? [] : [cookie]
  }
}

extension Sessions {
  /// Nil for what is not an OpenID Connect request, and for an application without a web origin.
  func watch(
    _ session: Session, _ authorization: AuthorizationRequest, _ client: Client, in tenant: Tenant
  ) -> SessionWatch? {
    guard authorization.scope.contains(OAuthScope.openID) else { return nil }
    let browserState = BrowserState(session.id, of: tenant)
    let state = SessionState(
      client: client.id, redirectURI: authorization.redirect.uri, browserState: browserState,
      salt: random.token(byteCount: 12))
    return state.map {
      SessionWatch(
        state: $0, browserState: browserState,
        cookie: BrowserState.cookie(of: tenant, server: server))
    }
  }
}
