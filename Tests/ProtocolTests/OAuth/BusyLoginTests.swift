import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// More people sign in than the machine can hash passwords for.
@Suite("Our policy: sign-in under load")
struct BusyLoginTests {
  @Test(
    "Some get in, others are asked to come back, nobody else begins, and tokens are not held up")
  func busy() async throws {
    let deployment = try await Deployment()
    let server = try await deployment.serve(
      roles: "control,runtime",
      environment: [
        "TENURE_PASSWORD_THREADS": "1", "TENURE_PASSWORD_QUEUE_MAX": "4",
        "TENURE_PASSWORD_ITERATIONS": "32",
      ])
    let tenant = try await TestTenant(deployment.admin)
    let person = try await tenant.person()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let known = Browser()
    _ = try await request.authorize(person, with: known)
    // Their pages are open before there is a crowd.
    let login = "\(tenant.issuer)/login"
    let doors = try await withThrowingTaskGroup(of: (Browser, Reply).self) { group in
      for _ in 0..<16 {
        group.addTask {
          let browser = Browser()
          return (browser, try await browser.open(login).reply)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
      for (browser, page) in doors {
        group.addTask {
          try await browser.submit(
            page, at: login,
            fill: [("username", person.username), ("password", person.password)], press: "submit"
          ).reply
        }
      }
      async let page = refusal(of: login)
      async let start = refusal(of: request.url)
      for refused in try await [page, start] {
        try expectTurnedAway(refused)
        #expect(refused.text.contains("Many people are signing in"))
        #expect(!refused.text.contains("id=\"password\""))
      }
      // Nobody waits who needs no page.
      let signedIn = try await request.authorize(person, with: known)
      #expect(signedIn.location?.contains("code=") == true)
      let silent = try await HTTP.get("\(request.url)&prompt=none")
      #expect(silent.location?.contains("error=login_required") == true)
      let token = try await deployment.admin.accessToken(scope: "users:read")
      #expect(!token.isEmpty)
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let turnedAway = replies.filter { $0.status == 503 }
    // Who has a page may fill the queue to its end.
    #expect(replies.filter { $0.status == 200 }.count >= 4)
    #expect(!turnedAway.isEmpty)
    for reply in turnedAway {
      try expectTurnedAway(reply)
      #expect(reply.text.contains("id=\"password\""))
    }
    #expect(replies.allSatisfy { $0.status == 200 || $0.status == 503 })
    #expect(try await HTTP.get(login).status == 200)
    try await server.end(SIGTERM)
  }

  /// Asks for a page until it is refused.
  private func refusal(of url: String) async throws -> Reply {
    for _ in 0..<2000 {
      let reply = try await HTTP.get(url, headers: [("accept", "text/html")])
      if reply.status == 503 { return reply }
    }
    throw TestFailure("\(url) was never refused.")
  }

  private func expectTurnedAway(_ reply: Reply) throws {
    let seconds = try #require(reply.headers.first(name: "retry-after").flatMap(Int.init))
    #expect((5...15).contains(seconds))
  }
}
