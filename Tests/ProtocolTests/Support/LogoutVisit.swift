import Foundation
import JOSE
import Platform

/// A person signed in to an application with a browser, about to sign out.
struct LogoutVisit: Sendable {
  static let goodbye = "https://app.example.org/goodbye"

  let request: AuthorizationRequest
  let person: TestPerson
  let browser: Browser
  /// The answer that brought the code.
  let back: Reply
  let tokens: JSON

  var tenant: TestTenant { request.tenant }
  var hint: String { tokens["id_token"]?.stringValue ?? "" }
  var sessionID: String {
    get throws { try ReadToken(hint).claims["sid"]?.stringValue ?? "" }
  }

  init(
    _ harness: Harness, scope: String = "openid", _ metadata: JSONObject = [:],
    tenant: TestTenant? = nil
  ) async throws {
    let tenant = if let tenant { tenant } else { try await harness.tenant() }
    var all: JSONObject = ["post_logout_redirect_uris": [.string(Self.goodbye)]]
    for (name, value) in metadata { all[name] = value }
    var request = AuthorizationRequest(tenant, try await tenant.application(all))
    request.scope = scope
    try await self.init(request, try await tenant.person(), Browser())
  }

  /// Another sign-in, of this person or with this browser.
  init(_ request: AuthorizationRequest, _ person: TestPerson, _ browser: Browser) async throws {
    self.request = request
    self.person = person
    self.browser = browser
    back = try await request.authorize(person, with: browser)
    guard let code = back.locationParameter("code") else { throw TestFailure("No code: \(back)") }
    let reply = try await request.redeem(code: code)
    guard reply.status == 200 else { throw TestFailure("No tokens: \(reply)") }
    tokens = reply.json
  }

  func logout(_ parameters: [(String, String)]) async throws -> Reply {
    let query = parameters.isEmpty ? "" : "?\(HTTP.encode(parameters))"
    return try await browser.get("\(tenant.issuer)/oidc/logout\(query)")
  }

  /// Goes through the confirmation page.
  func confirm(_ page: Reply) async throws -> Reply {
    try await browser.submit(page, at: "\(tenant.issuer)/oidc/logout", press: "submit").reply
  }

  /// Whether the browser still has a session: `prompt=none` gets a code (OpenID Connect Core section
  /// 3.1.2.1).
  func isSignedIn() async throws -> Bool {
    let reply = try await browser.get(request.with(("prompt", "none")).url)
    guard reply.locationParameter("code") == nil else { return true }
    guard reply.locationParameter("error") == "login_required" else {
      throw TestFailure("Neither signed in nor out: \(reply)")
    }
    return false
  }
}

extension TestTenant {
  func metadata() async throws -> JSON {
    try await HTTP.get("\(issuer)/.well-known/openid-configuration").json
  }

  func keys() async throws -> [JSON] {
    let address = try await metadata()["jwks_uri"]?.stringValue ?? ""
    return try await HTTP.get(address).json["keys"]?.arrayValue ?? []
  }

  /// The claims of a token that one of the published keys has signed.
  func verified(_ token: String, type: String) async throws -> JSONObject {
    let keys = try await keys()
    let now = Date()
    let claims = try JWT.verify(
      token, allowing: [.rs256, .ps256, .es256, .es384, .edDSA],
      expecting: JWTPolicy(
        issuer: issuer, audiences: [], type: type, expiry: .required, leewaySeconds: 5), now: now
    ) { header throws(JOSEError) in
      try keys.first { $0["kid"]?.stringValue == header.keyID }.map { key throws(JOSEError) in
        try JWK(key)
      }
    }
    return claims.members
  }
}
