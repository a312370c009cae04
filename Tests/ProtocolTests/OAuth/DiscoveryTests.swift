import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("OpenID Connect Discovery section 4, RFC 8414 section 3: metadata and keys")
struct DiscoveryTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-discovery-endpoint-verification")
  func metadata() async throws {
    let tenant = try await harness.tenant()
    let reply = try await HTTP.get("\(tenant.issuer)/.well-known/openid-configuration")
    #expect(reply.status == 200)
    #expect(reply.contentType == "application/json")
    let document = reply.json
    #expect(document["issuer"]?.stringValue == tenant.issuer)
    #expect(document["response_types_supported"] == ["code"])
    #expect(document["code_challenge_methods_supported"] == ["S256"])
    #expect(document["subject_types_supported"] == ["public", "pairwise"])
    #expect(document["authorization_response_iss_parameter_supported"] == true)
    for flag in ["claims", "request", "request_uri"] {
      #expect(document["\(flag)_parameter_supported"] == true)
    }
    let algorithms = document["id_token_signing_alg_values_supported"]?.arrayValue ?? []
    #expect(algorithms.contains("RS256") && algorithms.contains("ES256"))
    let names = document.objectValue?.names ?? []
    for name in names where name.hasSuffix("_endpoint") || name == "jwks_uri" {
      #expect(document[name]?.stringValue?.hasPrefix(tenant.issuer + "/") == true, "\(name)")
    }
    let inserted = try await HTTP.get(
      tenant.issuer.replacing("/t/", with: "/.well-known/oauth-authorization-server/t/"))
    #expect(inserted.json == document)
    let appended = try await HTTP.get("\(tenant.issuer)/.well-known/oauth-authorization-server")
    #expect(appended.json == document)
  }

  @Test("The issuer is the configured one, whatever the headers say; foreign hosts get nothing")
  func hostHeader() async throws {
    let tenant = try await harness.tenant()
    let address = "\(tenant.issuer)/.well-known/openid-configuration"
    let forwarded = try await HTTP.get(
      address, headers: [("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")])
    #expect(forwarded.json["issuer"]?.stringValue == tenant.issuer)
    let foreign = try await HTTP.get(address, headers: [("host", "evil.example")])
    #expect(foreign.status == 421)
    #expect(!foreign.text.contains("evil.example"))
  }

  @Test(
    "Keys are public, distinct and cacheable; a copy that is current is confirmed (RFC 9110 section 13.1.2)"
  )
  func keys() async throws {
    let tenant = try await harness.tenant()
    let address = "\(tenant.issuer)/.well-known/jwks.json"
    let reply = try await HTTP.get(address)
    let keys = reply.json["keys"]?.arrayValue ?? []
    #expect(Set(keys.compactMap { $0["kid"]?.stringValue }).count == keys.count)
    #expect(Set(keys.compactMap { $0["alg"]?.stringValue }) == ["RS256", "ES256"])
    for key in keys {
      for secret in ["d", "p", "q", "dp", "dq", "qi", "k"] { #expect(key[secret] == nil) }
    }
    #expect(reply.headers.first(name: "cache-control")?.contains("max-age=") == true)
    let etag = try #require(reply.headers.first(name: "etag"))
    let again = try await HTTP.get(address, headers: [("if-none-match", etag)])
    #expect(again.status == 304)
    #expect(again.body.isEmpty)
    let other = try await HTTP.get("\(try await harness.tenant().issuer)/.well-known/jwks.json")
    #expect(other.body != reply.body, "two organizations share keys")
  }

  @Test("An unknown organization is 404 everywhere")
  func unknown() async throws {
    for path in [".well-known/openid-configuration", "login", "oauth2/authorize", "privacy"] {
      #expect(try await HTTP.get("\(harness.admin.baseURL)/t/nobody-here/\(path)").status == 404)
    }
    let token = try await HTTP.post(
      form: [("grant_type", "client_credentials")],
      to: "\(harness.admin.baseURL)/t/nobody-here/oauth2/token")
    #expect(token.status == 404)
  }

  @Test(
    "A suspended organization answers 503 on its pages and temporarily_unavailable at its token endpoint"
  )
  func suspended() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application()
    #expect(try await HTTP.get("\(tenant.issuer)/login").status == 200)
    try await harness.admin.document(.POST, "\(tenant.path)/suspend")
    let page = try await HTTP.get("\(tenant.issuer)/login")
    #expect(page.status == 503)
    #expect(page.contentType == "application/problem+json")
    let html = try await HTTP.get("\(tenant.issuer)/login", headers: [("accept", "text/html")])
    #expect(html.status == 503 && html.contentType?.hasPrefix("text/html") == true)
    let token = try await HTTP.post(
      form: [("grant_type", "client_credentials")], to: "\(tenant.issuer)/oauth2/token",
      headers: [application.basic])
    #expect(token.status == 503 && token.json["error"] == "temporarily_unavailable")
    try await harness.admin.document(.POST, "\(tenant.path)/resume")
    #expect(try await HTTP.get("\(tenant.issuer)/login").status == 200)
  }
}
