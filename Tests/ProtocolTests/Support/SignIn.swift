import Foundation
import Platform

/// What an application does to sign a person in (OpenID Connect Core 3.1, RFC 7636).
struct AuthorizationRequest: Sendable {
  let tenant: TestTenant
  let application: TestApplication
  var scope = "openid profile email address offline_access"
  let state = UUID().uuidString
  let nonce = UUID().uuidString
  /// RFC 7636 appendix B.
  let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
  let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
  var extra: [(String, String)] = []

  init(_ tenant: TestTenant, _ application: TestApplication) {
    self.tenant = tenant
    self.application = application
  }

  var url: String {
    let pairs =
      [
        ("response_type", "code"), ("client_id", application.id),
        ("redirect_uri", application.redirectURI), ("scope", scope), ("state", state),
        ("nonce", nonce), ("code_challenge", challenge), ("code_challenge_method", "S256"),
      ] + extra
    return "\(tenant.issuer)/oauth2/authorize?\(HTTP.encode(pairs))"
  }

  /// Goes through the pages as the person would; the answer that leads back to the application.
  func authorize(_ person: TestPerson, with browser: Browser) async throws -> Reply {
    var (at, reply) = try await browser.open(url)
    if reply.text.contains("id=\"password\"") {
      (at, reply) = try await browser.submit(
        reply, at: at, fill: [("username", person.username), ("password", person.password)],
        press: "submit")
    }
    if reply.text.contains("id=\"accept\"") {
      (at, reply) = try await browser.submit(reply, at: at, press: "accept")
    }
    guard reply.location?.hasPrefix(application.redirectURI) == true else {
      throw TestFailure("No way back to the application from \(at): \(reply)")
    }
    return reply
  }

  func redeem(code: String) async throws -> Reply {
    var form = [
      ("grant_type", "authorization_code"), ("code", code),
      ("redirect_uri", application.redirectURI), ("code_verifier", verifier),
    ]
    if application.secret == nil { form.append(("client_id", application.id)) }
    return try await token(form)
  }

  func refresh(_ token: String) async throws -> Reply {
    var form = [("grant_type", "refresh_token"), ("refresh_token", token)]
    if application.secret == nil { form.append(("client_id", application.id)) }
    return try await self.token(form)
  }

  func token(_ form: [(String, String)]) async throws -> Reply {
    try await HTTP.post(
      form: form, to: "\(tenant.issuer)/oauth2/token",
      headers: application.secret == nil ? [] : [application.basic])
  }

  /// The whole way: pages, code, tokens.
  func tokens(_ person: TestPerson, with browser: Browser = Browser()) async throws -> JSON {
    let back = try await authorize(person, with: browser)
    guard let code = back.locationParameter("code") else { throw TestFailure("No code: \(back)") }
    let reply = try await redeem(code: code)
    guard reply.status == 200 else { throw TestFailure("No tokens: \(reply)") }
    return reply.json
  }
}
