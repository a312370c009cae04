import Cryptography
import Platform
import Tenancy
import Web

/// What applications compare to learn whether the user is still the same (OpenID Connect Session
/// Management 1.0 section 2).
struct SessionState: Sendable, Hashable {
  let text: String

  /// Nil for an application without a web origin: it has no frame to ask from.
  init?(client: ClientID, redirectURI: String, browserState: BrowserState, salt: String) {
    guard let origin = WebOrigin(redirectURI) else { return nil }
    let input = "\(client.text) \(origin.text) \(browserState.value) \(salt)"
    text = "\(Base64URL.encode(SHA2.sha256(Array(input.utf8)))).\(salt)"
  }
}

/// The state of a browser at the provider: the same as long as its session is, and nobody else's
/// (OpenID Connect Session Management 1.0 section 4.2).
struct BrowserState: Sendable, Hashable {
  let value: String

  init(_ session: ID<Session>, of tenant: Tenant) {
    let key = tenant.key.macKey(.browserState)
    value = Base64URL.encode(key.sha256(Array(session.description.utf8)))
  }

  /// Readable by scripts, since the frame of `check_session_iframe` compares it.
  static func cookie(of tenant: Tenant, server: BaseURL) -> CookieName {
    CookieName(
      "tenure_browser_state", path: tenant.issuerPath.isEmpty ? "/" : tenant.issuerPath,
      of: server, readers: .framedScripts)
  }
}

extension KeyPurpose {
  static let browserState = KeyPurpose("browser-state")
}
