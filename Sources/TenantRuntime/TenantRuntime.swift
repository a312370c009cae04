package import Cache
package import Compliance
package import Database
import Hummingbird
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
    FindSession.self, StartSession.self, RenewSession.self, ExtendSession.self, EndSession.self,
    FindSubjectKey.self,
    RotateTokenFamily.self, LockTokenFamily.self, FindTokenFamily.self, RevokeTokenFamily.self,
    RevokeTokenFamiliesOfClient.self, RevokeTokenFamiliesOfSession.self,
    FindTokenStatus.self, FindUserInfo.self, FindTokenRevocation.self, InsertTokenRevocation.self,
  ]

  package static let personalData: [PersonalData] = [
    Session.personalData, TokenFamily.personalData, TokenFamily.revocationPersonalData,
    AuthorizationCode.personalData,
  ]

  package static let templates: [PageTemplate] = PageTemplate.ofTenantRuntime

  package let groups: [EndpointGroup]
  package let metrics: [MetricFamily]

  package init(
    database: Database, tenancy: Tenancy, consents: Consents, requests: PrivacyRequests,
    packages: ExportPackages, counters: any Counters, limits: TenantLimits,
    outgoing: OutgoingHTTP, keySets: RemoteJWKSets, pages: Pages, settings: RuntimeSettings,
    server: BaseURL, clock: WallClock, random: RandomSource
  ) {
    let sessions = Sessions(
      database: database, audit: tenancy.audit, server: server, clock: clock, random: random)
    let forms = FormGuards(server: server, random: random)
    let counts = RuntimeMetrics()
    metrics = counts.families
    let protocols = ProtocolEndpoints(
      database: database, tenancy: tenancy, settings: settings.tokens, server: server,
      metrics: counts, clock: clock, random: random)
    let interaction = InteractionEndpoints(
      database: database, tenancy: tenancy, consents: consents, sessions: sessions, forms: forms,
      throttle: LoginThrottle(settings: settings.login, counters: counters), pages: pages,
      metrics: counts, clock: clock, random: random)
    let privacy = PrivacyEndpoints(
      database: database, tenancy: tenancy, consents: consents, requests: requests,
      packages: packages, sessions: sessions, forms: forms, pages: pages, clock: clock)
    let resolve: @Sendable (Request, BaseContext) async throws -> TenantContext = {
      try await TenantContext.resolve($0, $1, tenancy.directory, limits)
    }
    groups = [
      EndpointGroup(
        at: "t/:slug", protocols.endpoints + interaction.endpoints + privacy.endpoints,
        resolve: resolve),
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
    database: Database, tenancy: Tenancy, settings: TokenSettings, server: BaseURL,
    metrics: RuntimeMetrics, clock: WallClock, random: RandomSource
  ) {
    let audiences = TokenAudiences(adminAPI: server.text + "/admin/v1")
    let issuer = TokenIssuer(
      keys: tenancy.keys, audiences: audiences, clock: clock, random: random)
    let tokens = AccessTokens(
      verifier: tenancy.accessTokens, audiences: audiences, clients: tenancy.clients,
      database: database)
    let grants = Grants([
      AuthorizationCodeGrant(
        database: database, issuer: issuer, audit: tenancy.audit, clock: clock),
      RefreshTokenGrant(
        database: database, issuer: issuer, audit: tenancy.audit, settings: settings, clock: clock),
      ClientCredentialsGrant(issuer: issuer),
      // a new grant: one file beside these, one line here
    ])
    let authenticate = ClientAuthenticator(
      methods: [ClientSecretBasic(), ClientSecretPost(), NoClientAuthentication()],
      clients: tenancy.clients)
    let documents = PublishedDocuments(
      keys: tenancy.keys,
      metadata: Metadata(
        grantTypes: grants.names, clientAuthenticationMethods: authenticate.names),
      clock: clock)
    endpoints = [
      DiscoveryEndpoint(documents: documents),
      KeysEndpoint(documents: documents),
      TokenEndpoint(authenticate: authenticate, grants: grants, metrics: metrics),
      UserInfoEndpoint(tokens: tokens, database: database),
      IntrospectionEndpoint(
        authenticate: authenticate, tokens: tokens, database: database, settings: settings,
        metrics: metrics, clock: clock),
      RevocationEndpoint(
        authenticate: authenticate, tokens: tokens, database: database, audit: tenancy.audit,
        clock: clock),
    ]
    insertedMetadata = [InsertedDiscoveryEndpoint(documents: documents)]
  }
}

/// What an application sends a person's browser to.
private struct InteractionEndpoints {
  let endpoints: [any Endpoint<TenantContext>]

  init(
    database: Database, tenancy: Tenancy, consents: Consents, sessions: Sessions,
    forms: FormGuards, throttle: LoginThrottle, pages: Pages, metrics: RuntimeMetrics,
    clock: WallClock, random: RandomSource
  ) {
    let reader = AuthorizationReader(clients: tenancy.clients)
    let hints = IDTokenHintVerifier(keys: tenancy.keys, clock: clock)
    let situations = AuthorizationSituations(consents: consents, hints: hints, clock: clock)
    let codes = AuthorizationCodes(
      database: database, audit: tenancy.audit, clock: clock, random: random)
    endpoints = [
      AuthorizeEndpoint(
        reader: reader, sessions: sessions, situations: situations, codes: codes),
      LoginEndpoint(
        users: tenancy.users, authorizations: reader, sessions: sessions, throttle: throttle,
        audit: tenancy.audit, forms: forms, pages: pages, metrics: metrics),
      ConsentEndpoint(
        reader: reader, sessions: sessions, situations: situations, codes: codes,
        choices: PurposeChoices(consents: consents), users: tenancy.users, database: database,
        audit: tenancy.audit, forms: forms, pages: pages),
      LogoutEndpoint(
        sessions: sessions, clients: tenancy.clients, hints: hints, forms: forms, pages: pages),
    ]
  }
}

/// Where a person exercises their rights.
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
      PackageEndpoint(packages: packages),
      PrivacyDirectoryEndpoint(),
    ]
  }
}

/// What the tenant plane can be told by the environment.
package struct RuntimeSettings: Sendable {
  let login: LoginSettings
  let tokens: TokenSettings

  package init(_ read: inout SettingsReader) {
    login = LoginSettings(&read)
    tokens = TokenSettings(&read)
  }
}
