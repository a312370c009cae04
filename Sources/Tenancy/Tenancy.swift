package import Cryptography
package import Database
package import Logging
package import Platform
package import ServiceLifecycle

/// What both planes share: who a tenant is, its keys, its users and clients, its tokens, its audit
/// trail.
///
/// The assembly: everything listed here is built once.
package struct Tenancy: Sendable {
  package static let statements: [any Statement.Type] = [
    FindTenantByID.self, FindTenantBySlug.self,
    InsertSigningKey.self, ActivateSigningKey.self, DeactivateSigningKey.self,
    RetireSigningKey.self, ListSigningKeys.self, LoadSigningKeys.self,
    InsertUser.self, FindUser.self, LockUser.self, FindUserByEmail.self, FindUserByUsername.self,
    FindSignInCandidate.self, FindSignInCandidateByID.self, ListUsers.self, UpdateUser.self,
    SetPassword.self, MarkUserErasing.self,
    InsertClient.self, FindClient.self, LockClient.self, ListClients.self, UpdateClient.self,
    DeleteClient.self, LockRegistrations.self, CountSelfRegisteredClients.self,
    InsertTrustedIssuer.self, FindTrustedIssuer.self, ListTrustedIssuers.self,
    UpdateTrustedIssuer.self, DeleteTrustedIssuer.self,
    InsertInitialAccessToken.self, ListInitialAccessTokens.self, FindInitialAccessToken.self,
    UseInitialAccessToken.self, DeleteInitialAccessToken.self,
    FindLineageStatus.self,
    ListSessions.self, EndSessions.self, DeleteCodesOfSessions.self, DeleteCodesOfUser.self,
    DeleteCodesOfClient.self, RevokeTokenFamiliesOfSessions.self, RevokeTokenFamiliesOfUser.self,
    RevokeAllTokenFamiliesOfClient.self, RevokeClientTokens.self, FindSessionClients.self,
    FindSubjectKey.self,
    InsertAuditHead.self, FindAuditHead.self, InsertAuditBatch.self, FindTenantSchema.self,
  ]

  package static let personalData: [PersonalData] = [
    User.personalData, User.credentialPersonalData, Client.personalData,
    TrustedIssuer.personalData,
    Session.personalData, SigningKeys.personalData, AuditEvent.personalData,
    AuditEvent.headPersonalData,
  ]

  package let masterKey: MasterKey
  package let directory: TenantDirectory
  package let keys: SigningKeyRing
  package let keyRotation: SigningKeyRotation
  package let revocations: Revocations
  package let users: UserStore
  package let clients: ClientStore
  package let trustedIssuers: TrustedIssuers
  package let initialAccessTokens: InitialAccessTokens
  package let audit: AuditRecorder
  package let accessTokens: AccessTokenVerifier
  /// The audit writer and the feed of changes; without them everything works, only slower.
  package let services: [any Service]
  package let metrics: [MetricFamily]
  private let feed: ChangeFeed

  package init(
    database: Database, masterKey: MasterKey, baseURL: BaseURL, passwords: PasswordHasher,
    settings: TenancySettings, logouts: LogoutNotifier, clock: WallClock, random: RandomSource,
    logger: Logger
  ) {
    feed = ChangeFeed()
    self.masterKey = masterKey
    directory = TenantDirectory(
      database: database, masterKey: masterKey, baseURL: baseURL, feed: feed,
      capacity: settings.tenantsCachedMax, clock: clock)
    keys = SigningKeyRing(
      database: database, feed: feed, capacity: settings.tenantsCachedMax, clock: clock)
    audit = AuditRecorder(
      database: database, settings: settings.audit, clock: clock, random: random, logger: logger)
    keyRotation = SigningKeyRotation(
      database: database, ring: keys, audit: audit, clock: clock, random: random)
    revocations = Revocations(database: database, audit: audit, notifier: logouts, clock: clock)
    users = UserStore(
      database: database, passwords: Passwords(hasher: passwords), revocations: revocations,
      audit: audit, clock: clock, random: random)
    clients = ClientStore(
      database: database, audit: audit, keys: keyRotation, feed: feed,
      capacity: settings.clientsCachedMax, clock: clock, random: random)
    trustedIssuers = TrustedIssuers(
      database: database, audit: audit, clock: clock, random: random)
    initialAccessTokens = InitialAccessTokens(
      database: database, audit: audit, clock: clock, random: random)
    accessTokens = AccessTokenVerifier(ring: keys, clock: clock)
    metrics =
      CacheMetrics(caches: directory.caches + clients.caches + keys.caches).families
      + audit.metrics + keyRotation.metrics + revocations.metrics
    let listener = ChangeListener(
      directory: directory, clients: clients, keys: keys, feed: feed)
    services = [
      audit, database.listener(on: [TenancyChange.channel]) { listener.handle($0) },
    ]
  }

  /// Another number after each change of tenants, applications and keys that this process has heard of;
  /// nil while it hears of none.
  package var generation: UInt64? { feed.generation }
}

package struct TenancySettings: Sendable {
  package var tenantsCachedMax: Int
  package var clientsCachedMax: Int
  package var audit: AuditSettings

  package init(_ read: inout SettingsReader) {
    tenantsCachedMax = read.value(
      "TENANTS_CACHED", default: 4096, in: 1...1_000_000,
      "Organizations whose settings and keys this process keeps in memory.")
    clientsCachedMax = read.value(
      "CLIENTS_CACHED", default: 16_384, in: 1...10_000_000,
      "Applications this process keeps in memory.")
    audit = AuditSettings(&read)
  }
}
