import Foundation
import Outgoing
import Platform
import Tenancy
import Web

@testable import TenantRuntime

extension FuzzTarget {
  /// The address that was checked is the address that is asked, for another reader too.
  static let outgoingURL = FuzzTarget(name: "outgoingURL") { bytes in
    guard let text = bytes.text, let url = try? OutgoingURL(text) else { return }
    hold((try? OutgoingURL(url.text))?.text == url.text, "the rebuilt address is read alike")
    // Foundation's parser is the one the HTTP client uses.
    guard let other = URL(string: url.text) else { return }
    let host = other.host.map { $0.hasPrefix("[") ? String($0.dropFirst().dropLast()) : $0 }
    hold(host == url.host, "Foundation sees the same host")
    hold((other.port ?? (url.isSecure ? 443 : 80)) == url.port, "and the same port")
    hold(other.scheme == (url.isSecure ? "https" : "http"), "and the same scheme")
    hold(other.user == nil && other.password == nil, "and no user")
  }

  /// A match is the registered text, or the loopback interface with another port.
  static let redirect = FuzzTarget(name: "redirect") { bytes in
    guard let text = bytes.text else { return }
    let web = "https://app.example/callback"
    let registered = [web, "http://127.0.0.1/callback?a=b", "http://[::1]:1/", "http://localhost"]
    hold(
      RedirectMatch.matches(text, registered: registered, isNative: false)
        == registered.contains(text), "a web application's is exact")
    guard RedirectMatch.matches(text, registered: registered, isNative: true),
      !registered.contains(text)
    else { return }
    let parts = URIParts(text)
    hold(parts?.isLoopback == true && parts?.scheme == "http", "a native one's is on loopback")
    hold(parts?.hasUserInfo == false, "without user")
    let rest = (parts?.path ?? "") + (parts?.query.map { "?" + $0 } ?? "")
    hold(["/callback?a=b", "/", ""].contains(rest), "with the registered path and query")
    hold(parts?.fragment == nil, "without fragment")
  }

  /// Parameters travel through the sign-in pages unchanged, and no redirect leaves what is registered.
  static let authorization = FuzzTarget(name: "authorization") { bytes in
    guard let text = bytes.text, let query = try? Query(text) else { return }
    let parameters = AuthorizationParameters(query)
    guard let again = try? Query(parameters.query) else {
      return hold(false, "a request that is written is read again")
    }
    hold(AuthorizationParameters(again).values == parameters.values, "with the same parameters")
    guard let unverified = try? UnverifiedAuthorizationRequest(parameters),
      let redirect = try? unverified.verifyRedirect(
        registered: client, issuer: "https://id.example/t/acme"),
      let request = try? AuthorizationRequest(parameters, client: client, redirect: redirect)
    else { return }
    hold(
      parameters.values["redirect_uri"].map(client.redirectURIs.contains) ?? true,
      "only a registered redirect is verified")
    hold(request.scope.isSubset(of: client.scope), "no more than the registered scope")
  }

  /// The `claims` parameter by itself: it is JSON inside a form.
  static let claims = FuzzTarget(name: "claims") { bytes in
    guard let text = bytes.text else { return }
    guard let request = try? ClaimsRequest(AuthorizationParameters(["claims": text])) else {
      return
    }
    let names = request.released.userInfo + request.released.idToken
    hold(names.allSatisfy { Claims.scope(of: $0) != nil }, "only claims we have are released")
    hold(names.count <= 2 * ClaimsRequest.countMax, "and not without end")
  }

  /// The application that requests are of.
  private static let client: ClientMetadata = {
    let metadata: JSONObject = [
      "redirect_uris": ["https://app.example/callback"], "scope": "openid email",
    ]
    guard let client = try? ClientMetadata(validating: metadata) else {
      preconditionFailure("the application of the fuzz target is not valid")
    }
    return client
  }()

  /// Metadata that is accepted is stored, and read again as the same.
  static let registration = FuzzTarget(name: "registration") { bytes in
    guard
      let object = (try? JSON.parse(bytes, limits: .request))?.objectValue,
      let metadata = try? ClientMetadata(validating: object)
    else { return }
    hold((try? ClientMetadata(stored: metadata.json)) == metadata, "accepted metadata is stored")
    hold((try? metadata.applying([:])) == metadata, "a patch of nothing changes nothing")
  }
}
