import Cryptography
import Database
import FoundationEssentials
import JOSE
import Platform
@testable import Tenancy
import TestSupport
import Testing

@Suite("Design section 4: signing keys rotate")
struct SigningKeyRotationTests {
  private func states(_ harness: TenancyHarness) async throws -> [SigningKeyState] {
    try await harness.tenancy.keyRotation.list(in: harness.tenant)
      .filter { $0.algorithm == .es256 }.map(\.state)
  }

  private func token(_ harness: TenancyHarness) async throws -> String {
    let keys = try await harness.tenancy.keys.keys(of: harness.tenant)
    let now = harness.clock.clock.now()
    return try AccessToken(
      issuer: harness.tenant.issuer, audience: ["api"], subject: "someone",
      clientID: try ClientID(sqlValue: "client"), scope: .none,
      id: TokenID(family: nil, random: .system), issuedAt: now,
      expiresAt: now.addingTimeInterval(1000 * 86_400), authentication: nil
    ).signed(with: keys.current(.es256))
  }

  private func isAccepted(_ token: String, _ harness: TenancyHarness) async throws -> Bool {
    do {
      _ = try await harness.tenancy.accessTokens.verify(
        token, of: harness.tenant, audience: "api")
      return true
    } catch is JOSEError {
      return false
    }
  }

  private func published(_ harness: TenancyHarness) async throws -> [String] {
    let bytes = try await harness.tenancy.keys.keys(of: harness.tenant).publishedBytes
    let document = try JSON.parse(bytes, limits: .request)
    return document["keys"]?.arrayValue?.compactMap { $0["kid"]?.stringValue } ?? []
  }

  @Test("A key goes through its four states on schedule; what it signed verifies until the last")
  func schedule() async throws {
    let harness = try await TenancyHarness.fresh(signingWith: [.rs256, .es256])
    let rotation = harness.tenancy.keyRotation
    let origin = TenancyHarness.origin
    let day = 86_400.0
    let token = try await token(harness)
    #expect(try await !rotation.advance(in: harness.tenant, origin: origin))

    harness.clock.advance(bySeconds: 76 * day)
    #expect(try await rotation.advance(in: harness.tenant, origin: origin))
    #expect(try await states(harness) == [.current, .next])
    #expect(try await Set(published(harness)).count == 4)
    #expect(try await isAccepted(token, harness))

    harness.clock.advance(bySeconds: 14 * day)
    #expect(try await rotation.advance(in: harness.tenant, origin: origin))
    #expect(try await states(harness) == [.previous, .current])
    #expect(try await isAccepted(token, harness))
    #expect(try await isAccepted(self.token(harness), harness))

    harness.clock.advance(bySeconds: 14 * day)
    #expect(try await rotation.advance(in: harness.tenant, origin: origin))
    #expect(try await states(harness) == [.retired, .current])
    #expect(try await !isAccepted(token, harness))
    #expect(try await published(harness).count == 2)
    #expect(try await !rotation.advance(in: harness.tenant, origin: origin))
    #expect(
      try await harness.database.all(RetiredPrivateKeys(), in: harness.tenant.schema)
        .allSatisfy { $0 == nil })

    let actions = try await harness.events().map(\.action).filter { $0.hasPrefix("signing_key.") }
    #expect(
      Dictionary(grouping: actions) { $0 }.mapValues(\.count) == [
        "signing_key.published": 2, "signing_key.deactivated": 2, "signing_key.activated": 2,
        "signing_key.retired": 2,
      ])
  }

  @Test("Two processes that rotate at the same time agree on one new key")
  func concurrent() async throws {
    let harness = try await TenancyHarness.fresh()
    let others = (0..<6).map { _ in harness.another() }
    let tenant = harness.tenant
    // The schedule: one publishes, and later one activates.
    for days in [80.0, 20.0] {
      harness.clock.advance(bySeconds: days * 86_400)
      let changed = try await withThrowingTaskGroup(of: Bool.self) { tasks in
        for other in others {
          tasks.addTask {
            try await other.keyRotation.advance(in: tenant, origin: TenancyHarness.origin)
          }
        }
        return try await tasks.reduce(into: 0) { count, isFirst in count += isFirst ? 1 : 0 }
      }
      #expect(changed >= 1)
    }
    var keys = try await harness.tenancy.keyRotation.list(in: tenant)
      .filter { $0.algorithm == .es256 }
    #expect(keys.map(\.state) == [.previous, .current])

    // On demand, without a published key: never two that sign, and never none.
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for other in others {
        tasks.addTask {
          try await other.keyRotation.rotate(
            .es256, isCompromised: false, in: tenant, origin: TenancyHarness.origin)
        }
      }
      try await tasks.waitForAll()
    }
    keys = try await harness.tenancy.keyRotation.list(in: tenant).filter { $0.algorithm == .es256 }
    #expect(keys.filter { $0.state == .current }.count == 1)
    #expect(Set(keys.map(\.kid)).count == keys.count)
  }

  @Test("What was decided on keys that have moved meanwhile changes nothing")
  func overtaken() async throws {
    let harness = try await TenancyHarness.fresh()
    let tenant = harness.tenant
    let kid = try #require(try await published(harness).first)
    let now = harness.clock.clock.now()
    let deactivate = DeactivateSigningKey(kid: kid, now: now)
    #expect(try await harness.database.run(deactivate, in: tenant.schema) == 1)
    #expect(try await harness.database.run(deactivate, in: tenant.schema) == 0)
    let retire = RetireSigningKey(kid: kid, from: .current, now: now)
    #expect(try await harness.database.run(retire, in: tenant.schema) == 0)
  }

  @Test("After a compromise the old keys are void at once, in every process that listens")
  func compromise() async throws {
    let harness = try await TenancyHarness.fresh()
    let tenant = harness.tenant
    let other = harness.another()
    let token = try await token(harness)
    try await other.serving(harness.test.logger) {
      // In the memory of the other process from here on.
      _ = try await other.accessTokens.verify(token, of: tenant, audience: "api")
      harness.clock.advance(bySeconds: 1)
      try await harness.tenancy.keyRotation.rotate(
        .es256, isCompromised: true, in: tenant, origin: TenancyHarness.origin)
      #expect(try await !isAccepted(token, harness))
      try await eventually {
        do {
          _ = try await other.accessTokens.verify(token, of: tenant, audience: "api")
          return false
        } catch is JOSEError {
          return true
        }
      }
    }
    #expect(try await states(harness) == [.retired, .current])
    #expect(try await published(harness).count == 1)
    #expect(try await isAccepted(self.token(harness), harness))
  }

  @Test("A client that asks for another algorithm brings its key about")
  func wanted() async throws {
    let harness = try await TenancyHarness.fresh(signingWith: [.rs256, .es256])
    var metadata = ClientMetadata()
    metadata.redirectURIs = ["https://app.example/callback"]
    metadata.idTokenAlgorithm = .edDSA
    let issued = try await harness.tenancy.clients.create(
      metadata, in: harness.tenant, origin: TenancyHarness.origin)
    let keys = try await harness.tenancy.keys.keys(of: harness.tenant)
    #expect(Set(keys.algorithms) == [.rs256, .es256, .edDSA])
    _ = try await harness.tenancy.clients.update(
      issued.client.id, expecting: nil, in: harness.tenant, origin: TenancyHarness.origin
    ) { metadata in
      var changed = metadata
      changed.accessTokenAlgorithm = .es384
      changed.name = "again"
      return changed
    }
    let more = try await harness.tenancy.keys.keys(of: harness.tenant)
    #expect(Set(more.algorithms) == [.rs256, .es256, .edDSA, .es384])
    let all = try await harness.tenancy.keyRotation.list(in: harness.tenant)
    #expect(all.count == 4)
  }
}

struct RetiredPrivateKeys: Statement {
  static let sql: SQL<Self> = """
    select private_key from \(tenant).signing_key where state = 'retired'
    """
  static func decode(_ row: inout RowReader) throws -> [UInt8]? { try row.next() }
}
