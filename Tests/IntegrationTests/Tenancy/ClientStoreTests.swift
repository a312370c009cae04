import Database
import FoundationEssentials
import Platform
@testable import Tenancy
import TestSupport
import Testing

@Suite("Clients of a tenant")
struct ClientStoreTests {
  let harness: TenancyHarness
  var clients: ClientStore { harness.tenancy.clients }
  var tenant: Tenant { harness.tenant }

  init() async throws {
    harness = try await .fresh()
  }

  private static let metadata: JSONObject = [
    "client_name": "Shop", "redirect_uris": ["https://shop.example/cb"],
  ]

  private func create(_ patch: JSONObject = [:]) async throws -> IssuedClient {
    let metadata = try ClientMetadata(
      validating: Self.metadata.merging(patch))
    return try await clients.create(metadata, in: tenant, origin: TenancyHarness.origin)
  }

  @Test("A refused client costs two checks and one look-up, whether it exists or not")
  func refusalsCostTheSame() async throws {
    let known = try await create().client.id
    // In memory, as the clients in use are; of the others the first look-up is the only one.
    _ = try await clients.find(known, in: tenant)
    let disabled = try await create().client.id
    _ = try await clients.setStatus(
      .disabled, of: disabled, expecting: nil, in: tenant, origin: TenancyHarness.origin)
    for id in [known, disabled, try #require(ClientID("nobody"))] {
      let before = clients.caches[0].counts().misses
      var checks = 0
      let found = try await clients.find(id, in: tenant) { _ in
        checks += 1
        return false
      }
      #expect(found == nil && checks == 2)
      #expect(clients.caches[0].counts().misses - before == 1)
    }
  }

  @Test("A secret that signs is kept sealed, and for no other method")
  func sealedSecrets() async throws {
    let issued = try await create(["token_endpoint_auth_method": "client_secret_jwt"])
    let (id, secret) = (issued.client.id, try #require(issued.secret))
    let sealed = try #require(issued.client.secrets.sealed)
    #expect(!String(decoding: sealed, as: UTF8.self).contains(secret.reveal()))
    #expect(try issued.client.secretKey(in: tenant) != nil)
    let basic = try await clients.update(
      id, expecting: nil, in: tenant, origin: TenancyHarness.origin
    ) { try $0.applying(["token_endpoint_auth_method": "client_secret_basic"]) }
    #expect(basic.secret == nil && basic.client.secrets.sealed == nil)
    #expect(basic.client.accepts(secret))
    let signing = try await clients.update(
      id, expecting: nil, in: tenant, origin: TenancyHarness.origin
    ) { try $0.applying(["token_endpoint_auth_method": "client_secret_jwt"]) }
    #expect(signing.secret != nil && !signing.client.accepts(secret))
    let rotated = try await clients.rotateSecret(
      of: id, in: tenant, origin: TenancyHarness.origin)
    #expect(rotated.client.secrets.sealed != signing.client.secrets.sealed)
  }

  @Test func aSecretIsShownOnceAndStoredAsItsDigest() async throws {
    let issued = try await create()
    let secret = try #require(issued.secret)
    #expect(Base64URL.decode(secret.reveal())?.count == 32)
    #expect(issued.json["client_secret"]?.stringValue == secret.reveal())
    let found = try #require(try await harness.another().clients.find(issued.client.id, in: tenant))
    #expect(found.accepts(secret))
    #expect(!found.accepts(Secret("wrong")))
    #expect(!found.accepts(Secret("")))
    #expect(found.json["client_secret"] == nil)
    #expect(found.metadata == issued.client.metadata)
  }

  @Test func aPublicClientHasNone() async throws {
    let issued = try await create(["token_endpoint_auth_method": "none"])
    #expect(issued.secret == nil && issued.client.isPublic)
    #expect(!issued.client.accepts(Secret("")))
    await #expect(throws: ClientError.noSecret) {
      try await clients.rotateSecret(
        of: issued.client.id, in: tenant, origin: TenancyHarness.origin)
    }
  }

  @Test func becomingConfidentialMakesASecretAndBecomingPublicTakesIt() async throws {
    let first = try await create(["token_endpoint_auth_method": "none"])
    let second = try await update(
      first.client.id, ["token_endpoint_auth_method": "client_secret_post"])
    let secret = try #require(second.secret)
    #expect(second.client.accepts(secret))
    let third = try await update(first.client.id, ["token_endpoint_auth_method": "none"])
    #expect(!third.client.accepts(secret))
    #expect(third.client.version == 3)
    #expect(try await update(first.client.id, [:]).client.version == 3)
  }

  @Test func aNewSecretReplacesTheOld() async throws {
    let issued = try await create()
    let rotated = try await clients.rotateSecret(
      of: issued.client.id, in: tenant, origin: TenancyHarness.origin)
    let found = try #require(try await clients.find(issued.client.id, in: tenant))
    #expect(found.accepts(try #require(rotated.secret)))
    #expect(!found.accepts(try #require(issued.secret)))
  }

  @Test func changesNeedTheVersionTheySaw() async throws {
    let issued = try await create()
    _ = try await update(issued.client.id, ["client_name": "New"])
    await #expect(throws: ClientError.versionMismatch) {
      try await clients.update(
        issued.client.id, expecting: 1, in: tenant, origin: TenancyHarness.origin
      ) { $0 }
    }
    await #expect(throws: ClientError.self) {
      try await update(issued.client.id, ["redirect_uris": []])
    }
    await #expect(throws: ClientError.notFound) {
      try await update(try #require(ClientID("nobody")), [:])
    }
  }

  @Test func deletingTakesItsGrantsAlong() async throws {
    let issued = try await create()
    let user = try await harness.user(["username": "alice"])
    try await harness.database.run(
      InsertTestFamily(
        id: UUID(), user: user.id, client: issued.client.id, now: harness.clock.clock.now()),
      in: tenant.schema)
    await #expect(throws: ClientError.versionMismatch) {
      try await clients.delete(
        issued.client.id, expecting: 2, in: tenant, origin: TenancyHarness.origin)
    }
    try await clients.delete(
      issued.client.id, expecting: 1, in: tenant, origin: TenancyHarness.origin)
    #expect(try await clients.find(issued.client.id, in: tenant) == nil)
    await #expect(throws: ClientError.notFound) {
      try await clients.delete(
        issued.client.id, expecting: nil, in: tenant, origin: TenancyHarness.origin)
    }
    #expect(
      try await harness.events().map(\.action) == [
        "client.created", "user.created", "client.deleted",
      ])
    try await harness.expectSoundTrail(3)
  }

  @Test func pages() async throws {
    var made: [String] = []
    for _ in 0..<5 { made.append(try await create().client.id.text) }
    var seen: [ClientID] = []
    while true {
      let page = try await clients.list(after: seen.last, limit: 2, in: tenant)
      guard !page.isEmpty else { break }
      seen += page.map(\.id)
    }
    #expect(seen.map(\.text).sorted() == made.sorted())
  }

  @Test("another process forgets a client that changes, and everything of a tenant that changes")
  func invalidation() async throws {
    let issued = try await create()
    let other = harness.another()
    try await other.serving(harness.test.logger) {
      let (id, tenant) = (issued.client.id, harness.tenant)
      #expect(try await other.clients.find(id, in: tenant)?.metadata.name == "Shop")
      _ = try await update(id, ["client_name": "New"])
      try await eventually {
        try await other.clients.find(id, in: tenant)?.metadata.name == "New"
      }
      _ = try await clients.setStatus(
        .disabled, of: id, expecting: nil, in: tenant, origin: TenancyHarness.origin)
      try await eventually { try await other.clients.find(id, in: tenant)?.isActive == false }
      try await clients.delete(id, expecting: nil, in: tenant, origin: TenancyHarness.origin)
      try await eventually { try await other.clients.find(id, in: tenant) == nil }
    }
  }

  @discardableResult
  private func update(_ id: ClientID, _ patch: JSONObject) async throws -> IssuedClient {
    try await clients.update(id, expecting: nil, in: tenant, origin: TenancyHarness.origin) {
      try $0.applying(patch)
    }
  }
}

struct InsertTestFamily: Statement {
  let id: UUID
  let user: UserID
  let client: ClientID
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).token_family
           (id, user_id, client_id, scope, auth_time, acr, amr, generation, created_at, expires_at)
    values (\(\.id), \(\.user), \(\.client), 'openid', \(\.now), '1', '{pwd}', 1, \(\.now), \(\.now))
    """
}
