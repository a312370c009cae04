package import Cache
package import Compliance
package import Database
import Hummingbird
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

  package init(
    database: Database, tenancy: Tenancy, consents: Consents, requests: PrivacyRequests,
    packages: ExportPackages, counters: any Counters, pages: Pages, settings: RuntimeSettings,
    server: BaseURL, clock: WallClock, random: RandomSource
  ) {
    let (clients, users, audit) = (tenancy.clients, tenancy.users, tenancy.audit)
    let audiences = TokenAudiences(adminAPI: server.text + "/admin/v1")
    let issuer = TokenIssuer(
      keys: tenancy.keys, audiences: audiences, clock: clock, random: random)
    let tokens = AccessTokens(
      verifier: tenancy.accessTokens, audiences: audiences, clients: clients, database: database)
    let hints = IDTokenHintVerifier(keys: tenancy.keys, clock: clock)
    let grants = Grants([
      AuthorizationCodeGrant(database: database, issuer: issuer, audit: audit, clock: clock),
      RefreshTokenGrant(
        database: database, issuer: issuer, audit: audit, settings: settings.tokens, clock: clock),
      ClientCredentialsGrant(issuer: issuer),
      // a new grant: one file beside these, one line here
    ])
    let authenticate = ClientAuthenticator(
      methods: [ClientSecretBasic(), ClientSecretPost(), NoClientAuthentication()],
      clients: clients)
    let documents = PublishedDocuments(
      keys: tenancy.keys,
      metadata: Metadata(
        grantTypes: grants.names, clientAuthenticationMethods: authenticate.names),
      clock: clock)
    let sessions = Sessions(
      database: database, audit: audit, server: server, clock: clock, random: random)
    let forms = FormGuards(server: server, random: random)
    let reader = AuthorizationReader(clients: clients)
    let situations = AuthorizationSituations(
      consents: consents, hints: hints, clock: clock)
    let codes = AuthorizationCodes(
      database: database, audit: audit, clock: clock, random: random)
    let choices = PurposeChoices(consents: consents)
    let personal = PersonalPage(sessions: sessions, forms: forms, clock: clock)

    let endpoints: [any Endpoint<TenantContext>] = [
      DiscoveryEndpoint(documents: documents),
      KeysEndpoint(documents: documents),
      AuthorizeEndpoint(
        reader: reader, sessions: sessions, situations: situations, codes: codes),
      LoginEndpoint(
        users: users, authorizations: reader, sessions: sessions,
        throttle: LoginThrottle(settings: settings.login, counters: counters), audit: audit,
        forms: forms, pages: pages),
      ConsentEndpoint(
        reader: reader, sessions: sessions, situations: situations, codes: codes, choices: choices,
        users: users,
        database: database, audit: audit, forms: forms, pages: pages),
      TokenEndpoint(authenticate: authenticate, grants: grants),
      UserInfoEndpoint(tokens: tokens, database: database),
      IntrospectionEndpoint(
        authenticate: authenticate, tokens: tokens, database: database, settings: settings.tokens,
        clock: clock),
      RevocationEndpoint(
        authenticate: authenticate, tokens: tokens, database: database, audit: audit, clock: clock),
      LogoutEndpoint(
        sessions: sessions, clients: clients, hints: hints, forms: forms, pages: pages),
      PrivacyEndpoint(
        personal: personal,
        summary: PrivacySummary(
          users: users, clients: clients, choices: choices, requests: requests, packages: packages),
        pages: pages),
      PrivacyConsentEndpoint(
        personal: personal, choices: choices, database: database, clock: clock),
      PrivacyRequestEndpoint(
        personal: personal, requests: requests, sessions: sessions, users: users, pages: pages),
      PackageEndpoint(packages: packages),
      PrivacyDirectoryEndpoint(),
    ]
    let resolve: @Sendable (Request, BaseContext) async throws -> TenantContext = {
      try await TenantContext.resolve($0, $1, tenancy.directory)
    }
    groups = [
      EndpointGroup(at: "t/:slug", endpoints, resolve: resolve),
      EndpointGroup(
        at: ".well-known/oauth-authorization-server/t/:slug",
        [InsertedDiscoveryEndpoint(documents: documents)], resolve: resolve),
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
