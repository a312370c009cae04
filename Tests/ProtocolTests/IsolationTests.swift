import Foundation
import NIOHTTP1
import Platform
import Testing

/// One organization can never see another: every endpoint is walked with the other's credentials.
@Suite("Isolation of organizations (design section 3)")
struct IsolationTests {
  let harness: Harness

  init() async throws {
    harness = try await Harness.shared()
  }

  @Test("Tokens, codes and clients of one are worth nothing at another")
  func protocolEndpoints() async throws {
    let (a, b) = (try await harness.tenant(), try await harness.tenant())
    let person = try await a.person()
    let (ofA, ofB) = (try await a.application(), try await b.application())
    let tokens = try await AuthorizationRequest(a, ofA).tokens(person)
    let access = try #require(tokens["access_token"]?.stringValue)
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    let hint = try #require(tokens["id_token"]?.stringValue)

    let bearer = [("authorization", "Bearer \(access)")]
    for method in [HTTPMethod.GET, .POST] {
      let userinfo = try await HTTP.send(method, "\(b.issuer)/oidc/userinfo", headers: bearer)
      #expect(userinfo.status == 401, "\(userinfo)")
    }
    for token in [access, refresh] {
      let introspection = try await HTTP.post(
        form: [("token", token)], to: "\(b.issuer)/oauth2/introspect", headers: [ofB.basic])
      #expect(introspection.json == ["active": false])
      let revocation = try await HTTP.post(
        form: [("token", token)], to: "\(b.issuer)/oauth2/revoke", headers: [ofB.basic])
      #expect(revocation.status == 200)
      let foreign = try await HTTP.post(
        form: [("token", token)], to: "\(b.issuer)/oauth2/introspect", headers: [ofA.basic])
      #expect(foreign.status == 401)
    }
    let atB = AuthorizationRequest(b, ofB)
    #expect(try await atB.refresh(refresh).json["error"] == "invalid_grant")
    let code = try await AuthorizationRequest(a, ofA).authorize(person, with: Browser())
      .locationParameter("code")
    #expect(try await atB.redeem(code: try #require(code)).json["error"] == "invalid_grant")
    let swapped = try await AuthorizationRequest(b, ofA).redeem(code: try #require(code))
    #expect(swapped.status == 401 && swapped.json["error"] == "invalid_client")
    let page = try await HTTP.get(AuthorizationRequest(b, ofA).url)
    #expect(page.location == nil && (400..<500).contains(page.status))
    _ = try await HTTP.get("\(b.issuer)/oidc/logout?id_token_hint=\(hint)")

    // All of it left what belongs to A as it was.
    let still = try await HTTP.get("\(a.issuer)/oidc/userinfo", headers: bearer)
    #expect(still.status == 200)
    #expect(try await AuthorizationRequest(a, ofA).refresh(refresh).status == 200)
  }

  @Test("A session cookie of one opens no page of another")
  func cookies() async throws {
    let (a, b) = (try await harness.tenant(), try await harness.tenant())
    let person = try await a.person()
    let browser = Browser()
    _ = try await AuthorizationRequest(a, try await a.application()).tokens(person, with: browser)
    let cookie = try #require(browser.cookieHeader(for: "\(a.issuer)/privacy"))
    let mine = try await HTTP.get("\(a.issuer)/privacy", headers: [("cookie", cookie)])
    #expect(mine.status == 200 && mine.text.contains(person.email))
    for path in ["privacy", "oauth2/authorize", "consent"] {
      let theirs = try await HTTP.get("\(b.issuer)/\(path)", headers: [("cookie", cookie)])
      #expect(!theirs.text.contains(person.email) && !theirs.text.contains(person.name))
    }
    let refused = try await HTTP.get("\(b.issuer)/privacy", headers: [("cookie", cookie)])
    #expect(refused.status == 303 || refused.status == 302, "\(refused)")
  }

  @Test("Ids of one are unknown under another in the admin API")
  func adminPaths() async throws {
    let (a, b) = (try await harness.tenant(), try await harness.tenant())
    let person = try await a.person()
    let application = try await a.application()
    let request = try await harness.admin.document(
      .POST, "\(a.path)/privacy/requests",
      ["kind": "export", "subject": ["id": .string(person.id)]])
    let requestID = try #require(request["id"]?.stringValue)
    let run = try await harness.admin.document(
      .POST, "\(a.path)/retention/runs", ["dry_run": false])
    let runID = try #require(run["id"]?.stringValue)
    for path in [
      "users/\(person.id)", "clients/\(application.id)", "privacy/requests/\(requestID)",
      "retention/runs/\(runID)",
    ] {
      #expect(try await harness.admin.call(.GET, "\(b.path)/\(path)").status == 404, "\(path)")
    }
    for path in ["users/\(person.id)", "clients/\(application.id)"] {
      #expect(try await harness.admin.call(.PATCH, "\(b.path)/\(path)", [:]).status == 404)
      #expect(try await harness.admin.call(.DELETE, "\(b.path)/\(path)").status == 404)
    }
    for subject: JSON in [
      ["id": .string(person.id)], ["email": .string(person.email)],
      ["username": .string(person.username)],
    ] {
      let reply = try await harness.admin.call(
        .POST, "\(b.path)/privacy/requests", ["kind": "erasure", "subject": subject])
      #expect(reply.status == 404)
    }
    let found = try await harness.admin.document(
      .GET, "\(b.path)/users?email=\(HTTP.escape(person.email))")
    #expect(found["users"] == [])
    let events = try await harness.admin.document(
      .GET, "\(b.path)/audit/events?subject=\(person.id)")
    #expect(events["events"] == [])
    let finished = try await a.finished(request: requestID)
    let address = try #require(finished["package"]?["url"]?.stringValue)
    let moved = address.replacing("/t/\(a.slug)/", with: "/t/\(b.slug)/")
    #expect([403, 404, 410].contains(try await HTTP.get(moved).status))
    #expect(try await HTTP.get(address).status == 200)
  }

  @Test("The admin API takes only tokens of the system tenant, with the right scope")
  func adminTokens() async throws {
    let a = try await harness.tenant()
    let person = try await a.person()
    let ofPerson = try await AuthorizationRequest(a, try await a.application()).tokens(person)
    let service = try await a.application([
      "grant_types": ["client_credentials"], "redirect_uris": [],
      "scope": "users:read users:write",
    ])
    let ofService = try await HTTP.post(
      form: [("grant_type", "client_credentials")], to: "\(a.issuer)/oauth2/token",
      headers: [service.basic])
    for token in [ofPerson["access_token"], ofService.json["access_token"], "junk", ""] {
      let reply = try await HTTP.get(
        "\(harness.admin.baseURL)/admin/v1/organizations",
        headers: [("authorization", "Bearer \(token?.stringValue ?? "")")])
      #expect(reply.status == 401)
      #expect(reply.headers.first(name: "www-authenticate")?.hasPrefix("Bearer") == true)
    }
    let narrow = try await harness.admin.accessToken(scope: "users:read")
    let refused = try await HTTP.get(
      "\(harness.admin.baseURL)/admin/v1/organizations",
      headers: [("authorization", "Bearer \(narrow)")])
    #expect(refused.status == 403)
    #expect(refused.contentType == "application/problem+json")
    let atTenant = try await HTTP.get(
      "\(a.issuer)/oidc/userinfo", headers: [("authorization", "Bearer \(narrow)")])
    #expect(atTenant.status == 401)
  }
}
