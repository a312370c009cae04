import Compliance
import Database
import Foundation
import Platform
import Tenancy
import Testing

@testable import ControlPlane

@Suite("Bootstrap (design section 5)")
struct BootstrapTests {
  @Test("Bootstraps at the same time make one system tenant and one administrator")
  func concurrent() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let all = try await withThrowingTaskGroup(of: AdminAccess.self) { tasks in
      for _ in 0..<3 { tasks.addTask { try await harness.plane.bootstrap.run(.keep) } }
      return try await tasks.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(all.map(\.clientID)).count == 1)
    #expect(all.compactMap(\.clientSecret).count == 1)
    let again = try await harness.plane.bootstrap.run(.keep)
    #expect(again.clientSecret == nil && again.clientID == all[0].clientID)
    let replaced = try await harness.plane.bootstrap.run(.replace)
    let secret = try #require(replaced.clientSecret)
    let system = try await harness.plane.bootstrap.systemTenant()
    let id = try #require(ClientID(replaced.clientID))
    let client = try #require(try await harness.tenancy.clients.find(id, in: system))
    #expect(client.accepts(secret))
    #expect(client.metadata.scope.description == AdminScope.all)
  }

  @Test("Setting an organization up twice makes it once and hands out working credentials")
  func setup() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    var wanted = WantedOrganization(slug: "acme", name: "Acme")
    wanted.users = [
      WantedUser(
        claims: ["username": "alice", "email": "alice@acme.example"], password: Secret("password-1")
      )
    ]
    var web = ClientMetadata()
    web.name = "Web"
    web.redirectURIs = ["https://acme.example/callback"]
    wanted.clients = [web]
    wanted.purposes = [
      PurposeDefinition(
        id: "news", name: "News", description: "Mail", notices: ["en": "May we?"], isActive: true)
    ]
    wanted.retention = [("session.ended", true, 7)]
    let first = try await harness.plane.setup.ensure(wanted)
    wanted.users = [WantedUser(claims: wanted.users[0].claims, password: Secret("password-2"))]
    let second = try await harness.plane.setup.ensure(wanted)
    #expect(first.tenant.id == second.tenant.id)
    #expect(first.users.map(\.id) == second.users.map(\.id))
    #expect(first.clients.map(\.client.id) == second.clients.map(\.client.id))
    let secret = try #require(second.clients[0].secret)
    #expect(second.clients[0].client.accepts(secret))
    let candidate = try await harness.tenancy.users.findForSignIn("alice", in: first.tenant)
    #expect(try await harness.tenancy.users.verify(Secret("password-2"), of: candidate))
    let rule = try await harness.compliance.retention.rules(in: first.tenant)
      .first { $0.id == "session.ended" }
    #expect(rule?.keepDays == 7)
  }
}
