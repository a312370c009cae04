package import Compliance
package import Database
import Hummingbird
package import Jobs
package import Logging
package import Platform
package import ServiceLifecycle
package import Tenancy
package import Web

/// The control plane: organizations and what administrators do with them (design section 5).
///
/// The assembly: everything listed here is built once.
package struct ControlPlane: Sendable {
  package static let statements: [any Statement.Type] = [
    InsertReadyOrganization.self, TakeReadyOrganization.self, CountReadyOrganizations.self,
    LockReadyOrganizations.self, HearOfRoles.self, PublishReadyOrganizations.self,
    CountSpareSchemas.self, InsertSpareSchemas.self, PublishSpareSchemas.self, TakeSpareSchema.self,
    LockSpareSchemas.self, InsertTenantKey.self, FindOrganization.self,
    LockOrganization.self,
    ListOrganizations.self, UpdateOrganization.self, SetOrganizationStatus.self,
    DeleteTenantKeys.self, DeleteIdempotencyKeys.self,
    ClaimIdempotencyKey.self, CompleteIdempotencyKey.self, FindIdempotencyKey.self,
    DeleteExpiredIdempotencyKeys.self,
    OpenRollout.self, PauseRollout.self, LatestRollout.self, LockRollout.self,
    AdvanceRollout.self, RolloutShare.self, PendingOrganizations.self, RecordRolloutFailures.self,
    RolloutFailures.self, ForgetRolloutFailures.self,
    CheckTokenUsable.self, FindClientByName.self,
    CurrentPurposeTexts.self, LockPurposes.self, FindPurposeID.self,
  ]

  /// Its tables are in the `control` schema and hold nothing about people.
  package static let personalData: [PersonalData] = []

  package static let templates: [PageTemplate] = [DocsEndpoint.template]

  package let groups: [EndpointGroup]
  package let jobHandlers: [any JobHandler]
  /// Keeps organizations ready; without it creating one takes longer.
  package let services: [any Service]
  /// What the interface is, as `/openapi.json` says it.
  package let openAPI: OpenAPI
  package let bootstrap: Bootstrap
  package let setup: OrganizationSetup
  package let rollouts: Rollouts

  package init(
    database: Database, migrator: Migrator, tenancy: Tenancy, compliance: Compliance,
    queue: JobQueue, limits: TenantLimits, pages: Pages, server: BaseURL, version: String,
    ready: ReadyOrganizationSettings, clock: WallClock, random: RandomSource, logger: Logger
  ) {
    let (directory, audit) = (tenancy.directory, tenancy.audit)
    let bell = ReadyBell()
    let provisioner = Provisioner(
      database: database, migrator: migrator, masterKey: tenancy.masterKey, directory: directory,
      ring: tenancy.keys, audit: audit,
      defaults: TenantDefaults { tenant, tx in
        try await compliance.provision(tenant, in: tx)
        try await tx.schedule(
          RotateSigningKeys(organization: tenant.id), organization: tenant.id.uuid,
          try RotateSigningKeys.schedule(), enabled: true, clock: clock, random: random)
      }, clock: clock, random: random, taken: bell.ring)
    let idempotency = Idempotency(
      database: database, masterKey: tenancy.masterKey, clock: clock)
    let organizations = Organizations(
      database: database, directory: directory, provisioner: provisioner,
      keys: tenancy.keyRotation, audit: audit, queue: queue, idempotency: idempotency, clock: clock)
    let users = Users(
      store: tenancy.users, requests: compliance.requests, database: database,
      idempotency: idempotency)
    let clients = Clients(store: tenancy.clients, idempotency: idempotency)
    let purposes = Purposes(database: database, consents: compliance.consents)
    let endpoints: [any DocumentedEndpoint<AdminContext>] = [
      OrganizationsEndpoint(
        organizations: organizations, directory: directory, idempotency: idempotency),
      UsersEndpoint(organizations: organizations, users: users, idempotency: idempotency),
      ClientsEndpoint(organizations: organizations, clients: clients, idempotency: idempotency),
      TrustedIssuersEndpoint(organizations: organizations, issuers: tenancy.trustedIssuers),
      InitialAccessTokensEndpoint(
        organizations: organizations, tokens: tenancy.initialAccessTokens),
      SessionsEndpoint(
        organizations: organizations, users: users, clients: clients,
        revocations: tenancy.revocations),
      SigningKeysEndpoint(organizations: organizations, rotation: tenancy.keyRotation),
      PurposesEndpoint(organizations: organizations, purposes: purposes),
      RequestsEndpoint(
        organizations: organizations, users: tenancy.users, requests: compliance.requests,
        packages: compliance.packages),
      DataMapEndpoint(organizations: organizations, map: compliance.map),
      RetentionEndpoint(organizations: organizations, retention: compliance.retention),
      AuditEndpoint(organizations: organizations, trail: compliance.auditTrail),
      JobsEndpoint(organizations: organizations, queue: queue, audit: audit),
      // more of the interface: one file in its feature's folder, one line here
    ]
    openAPI = Self.openAPI(
      endpoints.flatMap { $0.operations.map(\.description) }, directory, server, version)
    groups = Self.groups(
      endpoints, openAPI, pages, server,
      AdminAuthentication(
        database: database, directory: directory, verifier: tenancy.accessTokens,
        limits: limits, base: server))
    jobHandlers = [
      DeleteOrganizationHandler(
        database: database, directory: directory, migrator: migrator, audit: audit, queue: queue,
        compliance: compliance, clock: clock),
      RotateSigningKeysHandler(directory: directory, rotation: tenancy.keyRotation),
      SweepIdempotencyKeysHandler(database: database, clock: clock),
      RolloutHandler(
        database: database, migrator: migrator, directory: directory, audit: audit, clock: clock),
    ]
    rollouts = Rollouts(
      database: database, migrator: migrator, directory: directory, audit: audit, queue: queue,
      clock: clock, random: random)
    services = [
      ReadyOrganizations(provisioner: provisioner, settings: ready, bell: bell, logger: logger)
    ]
    bootstrap = Bootstrap(
      database: database, directory: directory, provisioner: provisioner, clients: tenancy.clients,
      audit: audit, clock: clock, random: random)
    setup = OrganizationSetup(
      database: database, directory: directory, bootstrap: bootstrap,
      organizations: organizations, users: users, clients: clients,
      consents: compliance.consents, retention: compliance.retention)
  }

  private static func groups(
    _ endpoints: [any DocumentedEndpoint<AdminContext>], _ openAPI: OpenAPI, _ pages: Pages,
    _ server: BaseURL, _ authenticate: AdminAuthentication
  ) -> [EndpointGroup] {
    [
      EndpointGroup(at: "admin/v1", endpoints, on: PatientExecutor.shared) { request, base in
        try await authenticate(request.headers, base)
      },
      EndpointGroup([
        OpenAPIEndpoint(document: openAPI.json.encoded()),
        DocsEndpoint(pages: pages, data: DocsEndpoint.data(openAPI)),
      ]),
    ]
  }

  private static func openAPI(
    _ operations: [OperationDescription], _ directory: TenantDirectory, _ server: BaseURL,
    _ version: String
  ) -> OpenAPI {
    OpenAPI(
      title: "Tenure administration", version: version, server: "\(server.text)/admin/v1",
      tokenEndpoint: "\(directory.issuer(slug: Tenant.systemSlug))/oauth2/token",
      schemas: [
        ("Organization", Organization.schema), ("User", User.schema), ("Client", Client.schema),
        ("TrustedIssuer", TrustedIssuer.schema), ("InitialAccessToken", InitialAccessToken.schema),
        ("Session", ListedSession.schema), ("SigningKey", SigningKeyRecord.schema),
        ("Purpose", ConsentPurpose.schema), ("PrivacyRequest", DataRequest.schema),
        ("PrivacyPlan", DataRequest.planSchema), ("DataMap", DataMapEndpoint.schema),
        ("RetentionRule", RetentionRule.schema), ("RetentionRun", RetentionRun.schema),
        ("AuditEvent", AuditEntry.schema), ("Job", JobRecord.schema),
      ], operations: operations)
  }
}
