import Foundation
import NIOHTTP1

import Platform

/// A compact JWS as an application reads it, without verifying it.
struct ReadToken {
  let header: JSON
  let claims: JSON

  init(_ compact: String?) throws {
    let parts = (compact ?? "").split(separator: ".").map { Base64URL.decode(String($0)) ?? [] }
    guard parts.count == 3 else { throw TestFailure("Not a compact JWS: \(compact ?? "nil")") }
    header = try JSON.parse(parts[0], limits: .request)
    claims = try JSON.parse(parts[1], limits: .request)
  }
}

extension TestTenant {
  func userinfo(_ accessToken: JSON?) async throws -> Reply {
    try await HTTP.get(
      "\(issuer)/oidc/userinfo",
      headers: [("authorization", "Bearer \(accessToken?.stringValue ?? "")")])
  }

  func introspect(_ token: JSON?, by application: TestApplication) async throws -> JSON {
    try await HTTP.post(
      form: [("token", token?.stringValue ?? "")], to: "\(issuer)/oauth2/introspect",
      headers: [application.basic]
    ).json
  }

  /// Signs in at the sign-in page itself, without an application.
  func signIn(_ person: TestPerson, with browser: Browser, password: String? = nil) async throws
    -> (url: String, reply: Reply)
  {
    let page = try await browser.open("\(issuer)/login")
    return try await browser.submit(
      page.reply, at: page.url,
      fill: [("username", person.username), ("password", password ?? person.password)],
      press: "submit")
  }
}

extension AuthorizationRequest {
  func with(_ extra: (String, String)...) -> AuthorizationRequest {
    var copy = AuthorizationRequest(tenant, application)
    copy.scope = scope
    copy.extra = extra
    return copy
  }

  /// The address with one parameter changed, or left out.
  func url(changing name: String, to value: String?) -> String {
    var parts = URLComponents(string: url)
    parts?.queryItems?.removeAll { $0.name == name }
    let rest = parts?.percentEncodedQuery ?? ""
    let query = value.map { "\(rest)&\(name)=\(HTTP.escape($0))" } ?? rest
    return "\(tenant.issuer)/oauth2/authorize?\(query)"
  }
}
