import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// More people sign in than the machine can hash passwords for.
@Suite("Our policy: sign-in under load")
struct BusyLoginTests {
  @Test("Some get in, the others are asked to come back, and tokens are not held up")
  func busy() async throws {
    let deployment = try await Deployment()
    let server = try await deployment.serve(
      roles: "control,runtime",
      environment: [
        "TENURE_PASSWORD_THREADS": "1", "TENURE_PASSWORD_QUEUE_MAX": "1",
        "TENURE_PASSWORD_ITERATIONS": "16",
      ])
    let tenant = try await TestTenant(deployment.admin)
    let person = try await tenant.person()
    let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
      for _ in 0..<8 {
        group.addTask { try await tenant.signIn(person, with: Browser()).reply }
      }
      let token = try await deployment.admin.accessToken(scope: "users:read")
      #expect(!token.isEmpty)
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let turnedAway = replies.filter { $0.status == 503 }
    #expect(replies.contains { $0.status == 200 })
    #expect(!turnedAway.isEmpty)
    for reply in turnedAway {
      #expect((reply.headers.first(name: "retry-after").flatMap(Int.init) ?? 0) > 0)
      #expect(reply.text.contains("id=\"password\""))
    }
    #expect(replies.allSatisfy { $0.status == 200 || $0.status == 503 })
    try await server.end(SIGTERM)
  }
}
