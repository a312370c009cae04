package import Database
import Platform

/// The clients of a tenant.
///
/// Look-ups are cached: every token request starts with one.
package struct ClientStore: Sendable {
  private let database: Database
  private let audit: AuditRecorder
  private let keys: SigningKeyRotation
  private let cache: SharedCache<Key, Client>
  private let clock: WallClock
  private let random: RandomSource

  struct Key: Hashable, Sendable {
    let tenant: TenantID
    let client: ClientID
  }

  init(
    database: Database, audit: AuditRecorder, keys: SigningKeyRotation, feed: ChangeFeed,
    capacity: Int, clock: WallClock, random: RandomSource
  ) {
    self.database = database
    self.audit = audit
    self.keys = keys
    cache = SharedCache(capacity: capacity, feed: feed, clock: clock)
    self.clock = clock
    self.random = random
  }

  // MARK: Find

  /// The client by its id, usually from memory; look at its status.
  package func find(_ id: ClientID, in tenant: Tenant) async throws -> Client? {
    try await cache.value(for: Key(tenant: tenant.id, client: id)) {
      try await database.first(FindClient(id: id), in: tenant.schema)
    }
  }

  /// Finds the client that `isRight` recognises, usually from memory.
  ///
  /// Every failure costs the same: one look-up in the database and two checks, whether there is no such
  /// client, or one of another secret. The look-up also lets in a secret that another process has just made.
  package func find(
    _ id: ClientID, in tenant: Tenant, where isRight: (Client?) async throws -> Bool
  ) async throws -> Client? {
    let key = Key(tenant: tenant.id, client: id)
    let cached = cache.cached(key)
    if try await isRight(cached), let cached { return cached }
    let loaded = try await cache.reload(key) {
      try await database.first(FindClient(id: id), in: tenant.schema)
    }
    return try await isRight(loaded) ? loaded : nil
  }

  package func list(after: ClientID?, limit: Int, in tenant: Tenant) async throws -> [Client] {
    try await database.all(ListClients(after: after, limit: limit), in: tenant.schema)
  }

  // MARK: Change

  package func create(_ metadata: ClientMetadata, in tenant: Tenant, origin: AuditOrigin)
    async throws -> IssuedClient
  {
    try await database.transaction(in: tenant.schema) { tx in
      try await create(metadata, in: tx, tenant: tenant, origin: origin)
    }
  }

  /// A client that registers itself, with the token that manages it; at most `countMax` of them.
  package func register(
    _ metadata: ClientMetadata, countMax: Int, in tx: Transaction, tenant: Tenant,
    origin: AuditOrigin
  ) async throws -> IssuedClient {
    try await tx.run(LockRegistrations())
    let count = try await tx.first(CountSelfRegisteredClients()) ?? 0
    guard count < countMax else { throw ClientError.tooMany }
    return try await insert(
      metadata, registrationToken: ClientSecret(random), in: tx, tenant: tenant, origin: origin)
  }

  package func create(
    _ metadata: ClientMetadata, in tx: Transaction, tenant: Tenant, origin: AuditOrigin
  ) async throws -> IssuedClient {
    try await insert(metadata, registrationToken: nil, in: tx, tenant: tenant, origin: origin)
  }

  private func insert(
    _ metadata: ClientMetadata, registrationToken: ClientSecret?, in tx: Transaction,
    tenant: Tenant, origin: AuditOrigin
  ) async throws -> IssuedClient {
    let id = try ClientID(sqlValue: ID<Client>.generate(clock, random).description)
    let method = metadata.authenticationMethod
    var secrets = ClientSecrets(registrationTokenHash: registrationToken?.hash)
    let issued = method.usesSecret ? ClientSecret(random) : nil
    if let issued { secrets = secrets.with(issued, of: id, for: method, in: tenant) }
    let now = clock.now()
    try await tx.run(
      InsertClient(id: id, secrets: secrets, metadata: .object(metadata.json), now: now),
      in: tenant.schema)
    try await keys.ensure(metadata.signingAlgorithms, in: tx, tenant: tenant, origin: origin)
    try await audit.record(
      AuditEvent(
        registrationToken == nil ? .clientCreated : .clientRegistered, origin: origin,
        subject: nil, detail: ["client_id": .string(id.text)]),
      in: tx, tenant: tenant)
    let client = Client(
      id: id, metadata: metadata, status: .active, secrets: secrets, version: 1,
      createdAt: now, updatedAt: now)
    return IssuedClient(
      client: client, secret: issued?.secret, registrationToken: registrationToken?.secret)
  }

  /// Replaces the metadata by what `change` makes of it.
  ///
  /// A client that becomes confidential gets a secret, one that becomes public loses it.
  package func update(
    _ id: ClientID, expecting version: Int?, in tenant: Tenant, origin: AuditOrigin,
    _ change: @Sendable (ClientMetadata) throws -> ClientMetadata
  ) async throws -> IssuedClient {
    try await changing(id, expecting: version, in: tenant) { client, tx in
      try await replace(
        client, by: try change(client.metadata), registrationToken: nil, in: tx, tenant, origin)
    }
  }

  /// The same for a client that manages itself; its registration access token is renewed.
  package func update(
    _ id: ClientID, registeredAs metadata: ClientMetadata, expecting version: Int,
    in tenant: Tenant, origin: AuditOrigin
  ) async throws -> IssuedClient {
    try await changing(id, expecting: version, in: tenant) { client, tx in
      try await replace(
        client, by: metadata, registrationToken: ClientSecret(random), in: tx, tenant, origin)
    }
  }

  private func replace(
    _ client: Client, by metadata: ClientMetadata, registrationToken: ClientSecret?,
    in tx: Transaction, _ tenant: Tenant, _ origin: AuditOrigin
  ) async throws -> IssuedClient {
    let fields = metadata.differences(from: client.metadata)
    guard !fields.isEmpty || registrationToken != nil else {
      return IssuedClient(client: client, secret: nil)
    }
    let method = metadata.authenticationMethod
    var secrets = client.secrets.kept(for: method)
    let issued = secrets.needsSecret(for: method) ? ClientSecret(random) : nil
    if let issued { secrets = secrets.with(issued, of: client.id, for: method, in: tenant) }
    if let registrationToken { secrets.registrationTokenHash = registrationToken.hash }
    let changed = try await write(
      client, metadata: metadata, status: client.status, secrets: secrets, in: tx, tenant)
    try await keys.ensure(metadata.signingAlgorithms, in: tx, tenant: tenant, origin: origin)
    try await record(
      .clientUpdated, client, ["fields": .array(fields.map(JSON.string))], origin, tx, tenant)
    return IssuedClient(
      client: changed, secret: issued?.secret, registrationToken: registrationToken?.secret)
  }

  package func setStatus(
    _ status: ClientStatus, of id: ClientID, expecting version: Int?, in tenant: Tenant,
    origin: AuditOrigin
  ) async throws -> Client {
    try await changing(id, expecting: version, in: tenant) { client, tx in
      guard client.status != status else { return client }
      let changed = try await write(
        client, metadata: client.metadata, status: status, secrets: client.secrets, in: tx, tenant)
      try await record(
        .clientUpdated, client, ["status": .string(status.rawValue)], origin, tx, tenant)
      return changed
    }
  }

  /// A new secret; the old one is void at once.
  package func rotateSecret(of id: ClientID, in tenant: Tenant, origin: AuditOrigin) async throws
    -> IssuedClient
  {
    try await changing(id, expecting: nil, in: tenant) { client, tx in
      guard client.metadata.authenticationMethod.usesSecret else { throw ClientError.noSecret }
      let issued = ClientSecret(random)
      let secrets = client.secrets.with(
        issued, of: client.id, for: client.metadata.authenticationMethod, in: tenant)
      let changed = try await write(
        client, metadata: client.metadata, status: client.status, secrets: secrets, in: tx, tenant)
      try await record(.clientSecretRotated, client, [:], origin, tx, tenant)
      return IssuedClient(client: changed, secret: issued.secret)
    }
  }

  /// Removes the client and every grant it has.
  package func delete(
    _ id: ClientID, expecting version: Int?, in tenant: Tenant, origin: AuditOrigin
  ) async throws {
    try await changing(id, expecting: version, in: tenant) { client, tx in
      try await tx.run(DeleteClient(id: id))
      try await announce(id, in: tx, tenant)
      try await record(.clientDeleted, client, [:], origin, tx, tenant)
    }
  }

  // MARK: Invalidation

  func forget(_ id: ClientID, of tenant: TenantID) {
    cache.invalidate(Key(tenant: tenant, client: id))
  }

  func forgetAll(of tenant: TenantID) {
    cache.invalidateAll { key, _ in key.tenant == tenant }
  }

  func forgetAll() {
    cache.invalidateAll()
  }

  var caches: [(name: String, counts: @Sendable () -> CacheCounts)] {
    [("clients", { [cache] in cache.counts })]
  }

  // MARK: Parts

  private func changing<Result: Sendable>(
    _ id: ClientID, expecting version: Int?, in tenant: Tenant,
    _ change: (Client, Transaction) async throws -> Result
  ) async throws -> Result {
    do {
      return try await database.transaction(in: tenant.schema) { tx in
        guard let client = try await tx.first(LockClient(id: id)) else {
          throw ClientError.notFound
        }
        guard version == nil || version == client.version else {
          throw ClientError.versionMismatch
        }
        return try await change(client, tx)
      }
    } catch let errors as ClaimErrors {
      throw ClientError.invalid(errors)
    }
  }

  private func write(
    _ client: Client, metadata: ClientMetadata, status: ClientStatus, secrets: ClientSecrets,
    in tx: Transaction, _ tenant: Tenant
  ) async throws -> Client {
    let now = clock.now()
    try await tx.run(
      UpdateClient(
        id: client.id, secrets: secrets, metadata: .object(metadata.json), status: status,
        now: now))
    try await announce(client.id, in: tx, tenant)
    return Client(
      id: client.id, metadata: metadata, status: status, secrets: secrets,
      version: client.version + 1, createdAt: client.createdAt, updatedAt: now)
  }

  private func announce(_ id: ClientID, in tx: Transaction, _ tenant: Tenant) async throws {
    try await TenancyChange.client(tenant.id, id).announce(in: tx)
    let (cache, key) = (cache, Key(tenant: tenant.id, client: id))
    tx.onCommit { cache.invalidate(key) }
  }

  private func record(
    _ action: AuditAction, _ client: Client, _ detail: JSONObject, _ origin: AuditOrigin,
    _ tx: Transaction, _ tenant: Tenant
  ) async throws {
    let detail = JSONObject([("client_id", .string(client.id.text))]).merging(detail)
    try await audit.record(
      AuditEvent(action, origin: origin, subject: nil, detail: detail), in: tx, tenant: tenant)
  }
}
