import Cryptography
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET /oidc/session`: the `check_session_iframe` (OpenID Connect Session Management 1.0 section 3.3).
///
/// The only page of ours with a script, and the only one that anybody may frame: it tells an
/// application that knows a session state whether that is still right, and nothing else.
struct CheckSessionEndpoint: TenantEndpoint {
  static let path = "oidc/session"

  let server: BaseURL

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get(RouterPath(Self.path), use: respond)
  }

  func respond(to request: Request, in context: TenantContext) -> BytesResponse {
    let script = Self.script(cookie: BrowserState.cookie(of: context.tenant, server: server).name)
    let hash = Base64.encode(SHA2.sha256(Array(script.utf8)))
    let page = "<!DOCTYPE html>\n<title>Session</title>\n<script>\(script)</script>\n"
    return BytesResponse(
      contentType: "text/html; charset=utf-8", Array(page.utf8),
      headers: [
        .contentSecurityPolicy:
          "default-src 'none'; script-src 'sha256-\(hash)'; base-uri 'none'; frame-ancestors *",
        .resourcePolicy: "cross-origin", .cacheControl: "public, max-age=3600",
      ])
  }

  /// Section 3.2: a message of client id and session state, answered to its sender alone.
  ///
  /// The sender's origin is part of what is hashed, so a state is of use to its own application only.
  static func script(cookie: String) -> String {
    """

    (() => {
      const prefix = "\(cookie)=";
      const browserState = () =>
        (document.cookie.split("; ").find((pair) => pair.startsWith(prefix)) ?? prefix)
          .slice(prefix.length);
      const digest = async (text) => {
        const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
        return btoa(String.fromCharCode(...new Uint8Array(bytes)))
          .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
      };
      const compare = async (message, origin) => {
        const parts = typeof message === "string" ? message.split(" ") : [];
        const [client, state] = parts;
        const salt = state?.split(".")[1];
        if (parts.length !== 2 || !client || !salt) return "error";
        const hash = await digest([client, origin, browserState(), salt].join(" "));
        return state === hash + "." + salt ? "unchanged" : "changed";
      };
      addEventListener("message", async (event) => {
        if (event.source) event.source.postMessage(await compare(event.data, event.origin), event.origin);
      });
    })();

    """
  }
}
