package import Cache
package import Compliance
package import Database
import Hummingbird
package import Jobs
package import Outgoing
package import Platform
package import Tenancy
package import Web

/// The tenant plane: what an organization's users and applications talk to (design section 5).
///
/// The assembly: everything listed here is built once.
package struct TenantRuntime: Sendable {
  package static let statements: [any Statement.Type] = [
    InsertAuthorizationCode.self, ConsumeAuthorizationCode.self, FindAuthorizationCode.self,
    DeleteAuthorizationCodes.self,
    InsertDeviceCode.self, PollDeviceCode.self, FindDeviceCode.self, DecideDeviceCode.self,
    ConsumeDeviceCode.self,
    FindSession.self, FindSessionUser.self, StartSession.self, RenewSession.self,
    ExtendSession.self,
    RotateTokenFamily.self, LockTokenFamily.self, FindTokenFamily.self, RevokeTokenFamily.self,
    FindLatestTokenFamily.self, InsertTokenFamily.self,
    RevokeTokenFamiliesOfClient.self,
    FindTokenStatus.self, FindUserInfo.self, FindClientTokenStatus.self, InsertTokenRevocation.self,
  ]

  package static let personalData: [PersonalData] = [
    TokenFamily.personalData, TokenFamily.revocationPersonalData,
    AuthorizationCode.personalData,
  ]

  package static let templates: [PageTemplate] = PageTemplate.ofTenantRuntime

  package let groups: [EndpointGroup]
  package let jobHandlers: [any JobHandler]
  package let metrics: [MetricFamily]

  package init(
    database: Database, tenancy: Tenancy, consents: Consents, requests: PrivacyRequests,
    packages: ExportPackages, counters: any Counters, replays: any ReplayGuard,
    limits: TenantLimits,
    outgoing: OutgoingHTTP, keySets: RemoteJWKSets, pages: Pages, settings: RuntimeSettings,
    server: BaseURL, clock: WallClock, random: RandomSource
  ) {
    let sessions = Sessions(
      database: database, revocations: tenancy.revocations, server: server, clock: clock,
      random: random)
    let forms = FormGuards(server: server, random: random)
    let counts = RuntimeMetrics()
    metrics = counts.families
    let replays = Replays(marks: replays, clock: clock)
    let authenticate = ClientAuthenticator(
      methods: [
        ClientSecretBasic(), ClientSecretPost(), ClientSecretJWT(), PrivateKeyJWT(),
        NoClientAuthentication(),
      ],
      clients: tenancy.clients,
      assertions: ClientAssertions(
        keySets: keySets, ring: tenancy.keys, replays: replays, clock: clock))
    let audiences = TokenAudiences(adminAPI: server.text + "/admin/v1")
    let protocols = ProtocolEndpoints(
      database: database, tenancy: tenancy, authenticate: authenticate, replays: replays,
      keySets: keySets, settings: settings.tokens, audiences: audiences, metrics: counts,
      clock: clock, random: random)
    let devices = DeviceEndpoints(
      database: database, tenancy: tenancy, authenticate: authenticate, audiences: audiences,
      consents: consents,
      personal: PersonalPage(sessions: sessions, forms: forms, clock: clock),
      throttle: DeviceThrottle(settings: settings.devices, counters: counters), pages: pages,
      clock: clock, random: random)
    let registration = RegistrationEndpoint(
      registrations: Registrations(
        clients: tenancy.clients, tokens: tenancy.initialAccessTokens,
        statements: SoftwareStatements(
          issuers: tenancy.trustedIssuers, keySets: keySets, clock: clock),
        sectors: SectorIdentifiers(http: outgoing), counters: counters,
        settings: settings.registrations, database: database))
    let interaction = InteractionEndpoints(
      database: database, tenancy: tenancy, consents: consents,
      objects: RequestObjects(
        documents: RequestDocuments(http: outgoing, clock: clock), keySets: keySets, clock: clock),
      sessions: sessions, forms: forms,
      throttle: LoginThrottle(settings: settings.login, counters: counters), pages: pages,
      metrics: counts, clock: clock, random: random)
    let privacy = PrivacyEndpoints(
      database: database, tenancy: tenancy, consents: consents, requests: requests,
      packages: packages, sessions: sessions, forms: forms, pages: pages, clock: clock)
    let resolve: @Sendable (Request, BaseContext) async throws -> TenantContext = {
      try await TenantContext.resolve($0, $1, tenancy.directory, limits)
    }
    jobHandlers = [
      SendLogoutTokenHandler(
        directory: tenancy.directory, clients: tenancy.clients, keys: tenancy.keys,
        outgoing: outgoing, metrics: counts, clock: clock, random: random)
    ]
    groups = [
      EndpointGroup(at: "t/:slug", protocols.endpoints, resolve: resolve),
      EndpointGroup(
        at: "t/:slug",
        devices.endpoints + [registration] + interaction.endpoints + privacy.endpoints,
        on: PatientExecutor.shared, resolve: resolve),
      EndpointGroup(
        at: ".well-known/oauth-authorization-server/t/:slug", protocols.insertedMetadata,
        resolve: resolve),
    ]
  }
}

/// What applications talk to without a browser.
private struct ProtocolEndpoints {
  let endpoints: [any Endpoint<TenantContext>]
  let insertedMetadata: [any Endpoint<TenantContext>]

  init(
    database: Database, tenancy: Tenancy, authenticate: ClientAuthenticator, replays: Replays,
    keySets: RemoteJWKSets, settings: TokenSettings, audiences: TokenAudiences,
    metrics: RuntimeMetrics, clock: WallClock, random: RandomSource
  ) {
    let issuer = TokenIssuer(
      keys: tenancy.keys, audiences: audiences, users: tenancy.users, clock: clock,
      random: random)
    let tokens = AccessTokens(
      verifier: tenancy.accessTokens, clients: tenancy.clients, database: database)
    let subjects = SubjectTokens(
      tokens: tokens, keys: tenancy.keys, audiences: audiences, database: database,
      clock: clock)
    let grants = Grants([
      AuthorizationCodeGrant(
        database: database, issuer: issuer, audit: tenancy.audit, clock: clock),
      RefreshTokenGrant(
        database: database, issuer: issuer, audit: tenancy.audit, settings: settings, clock: clock),
      ClientCredentialsGrant(issuer: issuer),
      DeviceCodeGrant(database: database, issuer: issuer, clock: clock),
      TokenExchangeGrant(
        subjects: subjects, issuer: issuer, database: database, audit: tenancy.audit, clock: clock),
      JWTBearerGrant(
        issuers: tenancy.trustedIssuers, keySets: keySets, replays: replays, users: tenancy.users,
        database: database, issuer: issuer, audit: tenancy.audit, clock: clock, random: random),
      // a new grant: one file beside these, one line here
    ])
    let documents = PublishedDocuments(
      keys: tenancy.keys,
      metadata: Metadata(
        grantTypes: grants.names, clientAuthenticationMethods: authenticate.names),
      clock: clock)
    endpoints = [
      DiscoveryEndpoint(documents: documents),
      KeysEndpoint(documents: documents),
      TokenEndpoint(authenticate: authenticate, grants: grants, metrics: metrics),
      UserInfoEndpoint(tokens: tokens, keys: tenancy.keys, database: database, clock: clock),
      IntrospectionEndpoint(
        authenticate: authenticate, tokens: tokens, database: database, settings: settings,
        metrics: metrics, clock: clock),
      GlobalRevocationEndpoint(
        tokens: tokens, users: tenancy.users, revocations: tenancy.revocations),
      RevocationEndpoint(
        authenticate: authenticate, tokens: tokens,
        hints: IDTokenHintVerifier(keys: tenancy.keys, clock: clock), database: database,
        audit: tenancy.audit, clock: clock),
    ]
    insertedMetadata = [InsertedDiscoveryEndpoint(documents: documents)]
  }
}

/// How devices without a browser sign in.
private struct DeviceEndpoints {
  let endpoints: [any Endpoint<TenantContext>]

  init(
    database: Database, tenancy: Tenancy, authenticate: ClientAuthenticator,
    audiences: TokenAudiences, consents: Consents, personal: PersonalPage,
    throttle: DeviceThrottle, pages: Pages, clock: WallClock, random: RandomSource
  ) {
    let codes = DeviceCodes(
      database: database, consents: consents, audit: tenancy.audit, clock: clock, random: random)
    endpoints = [
      DeviceAuthorizationEndpoint(
        authenticate: authenticate, audiences: audiences, codes: codes),
      DeviceEndpoint(
        personal: personal, codes: codes, throttle: throttle, clients: tenancy.clients,
        users: tenancy.users, pages: pages),
    ]
  }
}

/// What an application sends a person's browser to.
private struct InteractionEndpoints {
  let endpoints: [any Endpoint<TenantContext>]

  init(
    database: Database, tenancy: Tenancy, consents: Consents, objects: RequestObjects,
    sessions: Sessions, forms: FormGuards, throttle: LoginThrottle, pages: Pages,
    metrics: RuntimeMetrics, clock: WallClock, random: RandomSource
  ) {
    let reader = AuthorizationReader(clients: tenancy.clients)
    let hints = IDTokenHintVerifier(keys: tenancy.keys, clock: clock)
    let situations = AuthorizationSituations(
      consents: consents, hints: hints, clients: tenancy.clients, clock: clock)
    let codes = AuthorizationCodes(
      database: database, audit: tenancy.audit, clock: clock, random: random)
    let admission = SignInAdmission(users: tenancy.users, metrics: metrics, random: random)
    endpoints = [
      AuthorizeEndpoint(
        reader: reader, objects: objects, sessions: sessions, situations: situations,
        codes: codes, pages: pages, admission: admission),
      LoginEndpoint(
        users: tenancy.users, authorizations: reader, sessions: sessions, throttle: throttle,
        audit: tenancy.audit, forms: forms, pages: pages, metrics: metrics,
        admission: admission),
      ConsentEndpoint(
        reader: reader, sessions: sessions, situations: situations, codes: codes,
        choices: PurposeChoices(consents: consents), users: tenancy.users, database: database,
        audit: tenancy.audit, forms: forms, pages: pages),
      LogoutEndpoint(
        sessions: sessions, clients: tenancy.clients, hints: hints, forms: forms, pages: pages),
      CheckSessionEndpoint(server: sessions.server),
    ]
  }
}

/// Where a person exercises their rights, and sees where they are signed in.
private struct PrivacyEndpoints {
  let endpoints: [any Endpoint<TenantContext>]

  init(
    database: Database, tenancy: Tenancy, consents: Consents, requests: PrivacyRequests,
    packages: ExportPackages, sessions: Sessions, forms: FormGuards, pages: Pages,
    clock: WallClock
  ) {
    let choices = PurposeChoices(consents: consents)
    let personal = PersonalPage(sessions: sessions, forms: forms, clock: clock)
    endpoints = [
      PrivacyEndpoint(
        personal: personal,
        summary: PrivacySummary(
          users: tenancy.users, clients: tenancy.clients, choices: choices, requests: requests,
          packages: packages),
        pages: pages),
      PrivacyConsentEndpoint(
        personal: personal, choices: choices, database: database, clock: clock),
      PrivacyRequestEndpoint(
        personal: personal, requests: requests, sessions: sessions, users: tenancy.users,
        pages: pages),
      SessionsEndpoint(
        personal: personal, sessions: sessions, users: tenancy.users, pages: pages),
      PackageEndpoint(packages: packages),
      PrivacyDirectoryEndpoint(),
    ]
  }
}

/// What the tenant plane can be told by the environment.
package struct RuntimeSettings: Sendable {
  let login: LoginSettings
  let tokens: TokenSettings
  let devices: DeviceSettings
  let registrations: RegistrationSettings

  package init(_ read: inout SettingsReader) {
    login = LoginSettings(&read)
    tokens = TokenSettings(&read)
    devices = DeviceSettings(&read)
    registrations = RegistrationSettings(&read)
  }
}
