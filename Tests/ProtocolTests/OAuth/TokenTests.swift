import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("RFC 6749 section 5.2: refusals of the token endpoint")
struct TokenRefusalTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let form: [String: String]
    let error: String
  }

  @Test(arguments: [
    Refusal(testDescription: "no grant_type", form: [:], error: "invalid_request"),
    Refusal(
      testDescription: "unknown grant_type", form: ["grant_type": "magic"],
      error: "unsupported_grant_type"),
    Refusal(
      testDescription: "password",
      form: ["grant_type": "password", "username": "a", "password": "b"],
      error: "unsupported_grant_type"),
    Refusal(
      testDescription: "not registered", form: ["grant_type": "client_credentials"],
      error: "unauthorized_client"),
    Refusal(
      testDescription: "no code",
      form: [
        "grant_type": "authorization_code",
        "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
      ], error: "invalid_request"),
    Refusal(
      testDescription: "ensure-pkce-code-verifier-required",
      form: ["grant_type": "authorization_code", "code": "x"], error: "invalid_request"),
    Refusal(
      testDescription: "unknown code",
      form: [
        "grant_type": "authorization_code", "code": "x",
        "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
      ], error: "invalid_grant"),
    Refusal(
      testDescription: "no refresh token", form: ["grant_type": "refresh_token"],
      error: "invalid_request"),
    Refusal(
      testDescription: "unknown refresh token",
      form: ["grant_type": "refresh_token", "refresh_token": "x"], error: "invalid_grant"),
  ])
  func refuses(_ refusal: Refusal) async throws {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let reply = try await request.token(refusal.form.map { ($0.key, $0.value) })
    #expect(reply.status == 400)
    #expect(reply.json["error"]?.stringValue == refusal.error)
    #expect(reply.headers.first(name: "cache-control") == "no-store")
    let description = try #require(reply.json["error_description"]?.stringValue)
    #expect(description.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
  }

  @Test("Section 2.3: one way to authenticate, percent-encoded in the header")
  func clientAuthentication() async throws {
    let tenant = try await harness.tenant()
    let service = try await tenant.application([
      "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "api:read api:write",
    ])
    let secret = try #require(service.secret)
    let address = "\(tenant.issuer)/oauth2/token"
    let grant = ("grant_type", "client_credentials")
    let credentials = [("client_id", service.id), ("client_secret", secret)]
    let basic = try await HTTP.post(form: [grant], to: address, headers: [service.basic])
    #expect(basic.status == 200)
    #expect(basic.json["scope"] == "api:read api:write")
    #expect(basic.json["refresh_token"] == nil && basic.json["id_token"] == nil)
    #expect(try await HTTP.post(form: [grant] + credentials, to: address).status == 200)
    let twice = try await HTTP.post(
      form: [grant] + credentials, to: address, headers: [service.basic])
    #expect(twice.status == 400 && twice.json["error"] == "invalid_request")
    let encoded = Data(
      "%\(String(service.id.utf8.first ?? 0, radix: 16))\(service.id.dropFirst()):\(secret)".utf8)
    let escaped = try await HTTP.post(
      form: [grant], to: address,
      headers: [("authorization", "Basic \(encoded.base64EncodedString())")])
    #expect(escaped.status == 200)
    for form in [
      [grant], [grant, ("client_id", service.id)],
      [grant, ("client_id", service.id), ("client_secret", "wrong")],
      [grant, ("client_id", "nobody"), ("client_secret", secret)],
    ] {
      let reply = try await HTTP.post(form: form, to: address)
      #expect(reply.status == 401 && reply.json["error"] == "invalid_client")
      #expect(reply.headers.contains(name: "www-authenticate"))
    }
  }

  @Test("Parameters are sent once, in a form (section 3.2)")
  func malformed() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application()
    let address = "\(tenant.issuer)/oauth2/token"
    for (type, body) in [
      ("application/json", "{}"),
      ("application/x-www-form-urlencoded", "grant_type=a&grant_type=b"),
      ("application/x-www-form-urlencoded", "grant_type=%zz"),
      ("application/x-www-form-urlencoded", "grant_type=%ff"),
    ] {
      let reply = try await HTTP.send(
        .POST, address, headers: [application.basic, ("content-type", type)],
        body: Array(body.utf8))
      #expect(reply.status == 400 && reply.json["error"] == "invalid_request", "\(reply)")
    }
    let large = try await HTTP.send(
      .POST, address,
      headers: [application.basic, ("content-type", "application/x-www-form-urlencoded")],
      body: Array(repeating: UInt8(ascii: "a"), count: 100_000))
    #expect(large.status == 413)
    #expect(try await HTTP.get(address).status == 405)
  }
}

@Suite("OAuth 2.1 section 4.1.3: authorization codes")
struct AuthorizationCodeProtocolTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-codereuse: a second use is refused and ends what the first one started")
  func reuse() async throws {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let back = try await request.authorize(tenant.person(), with: Browser())
    let code = try #require(back.locationParameter("code"))
    let tokens = try await request.redeem(code: code).json
    #expect(try await tenant.userinfo(tokens["access_token"]).status == 200)
    let second = try await request.redeem(code: code)
    #expect(second.status == 400 && second.json["error"] == "invalid_grant")
    #expect(try await tenant.userinfo(tokens["access_token"]).status == 401)
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    #expect(try await request.refresh(refresh).json["error"] == "invalid_grant")
    let events = try await harness.admin.document(
      .GET, "\(tenant.path)/audit/events?action=token.code_reused")
    #expect(events["events"]?.arrayValue?.count == 1)
  }

  @Test("Of twenty uses at the same time one succeeds")
  func race() async throws {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let back = try await request.authorize(tenant.person(), with: Browser())
    let code = try #require(back.locationParameter("code"))
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<20 { group.addTask { try await request.redeem(code: code).status } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.filter { $0 == 200 }.count == 1)
    #expect(statuses.filter { $0 == 400 }.count == 19)
  }

  @Test("A code is bound to client, redirect URI and verifier, and a failed try does not spend it")
  func bound() async throws {
    let tenant = try await harness.tenant()
    let (application, other) = (try await tenant.application(), try await tenant.application())
    let request = AuthorizationRequest(tenant, application)
    let back = try await request.authorize(tenant.person(), with: Browser())
    let code = try #require(back.locationParameter("code"))
    let base = [("grant_type", "authorization_code"), ("code", code)]
    let right = [("redirect_uri", application.redirectURI), ("code_verifier", request.verifier)]
    #expect(
      try await AuthorizationRequest(tenant, other).token(base + right).json["error"]
        == "invalid_grant")
    for wrong in [
      [right[0], ("code_verifier", String(repeating: "v", count: 43))],
      [("redirect_uri", "https://app.example.org/other"), right[1]],
    ] {
      #expect(try await request.token(base + wrong).json["error"] == "invalid_grant")
    }
    #expect(try await request.redeem(code: code).status == 200)
  }
}

@Suite("OAuth 2.1 section 4.3: refresh tokens (decision 0003)")
struct RefreshProtocolTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  func signedIn() async throws -> (request: AuthorizationRequest, tokens: JSON) {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    return (request, try await request.tokens(tenant.person()))
  }

  @Test("oidcc-refresh-token: rotated, bound to its client, with a consistent ID token")
  func rotation() async throws {
    let (request, tokens) = try await signedIn()
    let first = try #require(tokens["refresh_token"]?.stringValue)
    let other = AuthorizationRequest(request.tenant, try await request.tenant.application())
    #expect(try await other.refresh(first).json["error"] == "invalid_grant")
    let reply = try await request.refresh(first)
    #expect(reply.status == 200)
    #expect(reply.json["refresh_token"]?.stringValue != first)
    let (old, new) = (
      try ReadToken(tokens["id_token"]?.stringValue),
      try ReadToken(reply.json["id_token"]?.stringValue)
    )
    for claim in ["iss", "sub", "aud", "auth_time", "sid"] {
      #expect(old.claims[claim] == new.claims[claim])
    }
    #expect(try await request.tenant.userinfo(reply.json["access_token"]).status == 200)
  }

  @Test("Fifty requests with one token get one successor and no error")
  func parallel() async throws {
    let (request, tokens) = try await signedIn()
    let token = try #require(tokens["refresh_token"]?.stringValue)
    let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
      for _ in 0..<50 { group.addTask { try await request.refresh(token) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(replies.allSatisfy { $0.status == 200 })
    let successors = Set(replies.compactMap { $0.json["refresh_token"]?.stringValue })
    #expect(successors.count == 1)
    let successor = try #require(successors.first)
    #expect(successor != token)
    #expect(try await request.refresh(successor).status == 200)
  }

  @Test(
    "Once the successor was used, the old token is reuse: the whole family ends, and the audit trail says so"
  )
  func reuse() async throws {
    let (request, tokens) = try await signedIn()
    let first = try #require(tokens["refresh_token"]?.stringValue)
    let second = try #require(try await request.refresh(first).json["refresh_token"]?.stringValue)
    let third = try await request.refresh(second).json
    #expect(try await request.refresh(first).json["error"] == "invalid_grant")
    let last = try #require(third["refresh_token"]?.stringValue)
    #expect(try await request.refresh(last).json["error"] == "invalid_grant")
    #expect(try await request.tenant.userinfo(third["access_token"]).status == 401)
    let events = try await harness.admin.document(
      .GET, "\(request.tenant.path)/audit/events?action=token.refresh_token_reused")
    #expect(events["events"]?.arrayValue?.count == 1)
  }

  @Test(
    "A narrower scope holds for one access token; a wider one is refused and spends nothing (RFC 6749 section 6)"
  )
  func scope() async throws {
    let (request, tokens) = try await signedIn()
    let token = try #require(tokens["refresh_token"]?.stringValue)
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)]
    let wider = try await request.token(form + [("scope", "openid phone")])
    #expect(wider.json["error"] == "invalid_scope")
    let narrow = try await request.token(form + [("scope", "openid")])
    #expect(narrow.json["scope"] == "openid")
    #expect(try await request.tenant.userinfo(narrow.json["access_token"]).json["email"] == nil)
    let next = try #require(narrow.json["refresh_token"]?.stringValue)
    #expect(try await request.refresh(next).json["scope"] == tokens["scope"])
  }
}
