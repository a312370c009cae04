import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// What a process counts is what happened; one of its own, so that nobody else is counted.
@Suite("Values of metrics")
struct MetricValuesTests {
  @Test("Sign-ins, password hashes, tokens and look-ups are counted once each, by their labels")
  func counts() async throws {
    let deployment = try await Deployment()
    let port = try Deployment.freePort()
    let server = try await deployment.serve(
      roles: "control,runtime", internalPort: port,
      environment: ["TENURE_READY_ORGANIZATIONS": "0"])
    let tenant = try await TestTenant(deployment.admin)
    let person = try await tenant.person()
    let service = try await tenant.application([
      "grant_types": ["client_credentials"], "redirect_uris": [], "response_types": [],
    ])

    let start = try await Scrape(port)
    #expect(start["tenure_sign_ins_total{outcome=\"busy\"}"] == 0)
    #expect(try await tenant.signIn(person, with: Browser()).reply.status == 200)
    let signedIn = try await Scrape(port)
    #expect(signedIn.rise("tenure_sign_ins_total{outcome=\"success\"}", since: start) == 1)
    #expect(signedIn.rise("tenure_sign_ins_total{outcome=\"failure\"}", since: start) == 0)
    for name in ["tenure_password_hash_seconds_count", "tenure_password_wait_seconds_count"] {
      #expect(signedIn.rise(name, since: start) == 1, "\(name)")
    }

    let wrong = try await tenant.signIn(person, with: Browser(), password: "wrong").reply
    #expect(wrong.status == 403)
    let refused = try await Scrape(port)
    #expect(refused.rise("tenure_sign_ins_total{outcome=\"success\"}", since: signedIn) == 0)
    #expect(refused.rise("tenure_sign_ins_total{outcome=\"failure\"}", since: signedIn) == 1)
    // A wrong password costs what the right one does.
    #expect(refused.rise("tenure_password_hash_seconds_count", since: signedIn) == 1)
    #expect(refused["tenure_password_refused_total"] == 0)

    let tokens = "tenure_tokens_issued_total{grant=\"client_credentials\"}"
    let form = [("grant_type", "client_credentials")]
    let endpoint = "\(tenant.issuer)/oauth2/token"
    #expect(try await HTTP.post(form: form, to: endpoint, headers: [service.basic]).status == 200)
    let first = try await Scrape(port)
    #expect(first.rise(tokens, since: refused) == 1)
    // The second time the application is in memory.
    #expect(try await HTTP.post(form: form, to: endpoint, headers: [service.basic]).status == 200)
    let second = try await Scrape(port)
    #expect(second.rise(tokens, since: first) == 1)
    #expect(second.rise("tenure_cache_hits_total{cache=\"clients\"}", since: first) == 1)
    let misses = try #require(first["tenure_cache_misses_total{cache=\"clients\"}"])
    #expect(second["tenure_cache_misses_total{cache=\"clients\"}"] == misses)
    #expect(second.rise("tenure_cache_hits_total{cache=\"tenants_by_slug\"}", since: first) >= 1)
    try await server.end(SIGTERM)
  }
}
