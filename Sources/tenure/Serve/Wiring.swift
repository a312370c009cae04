import Cache
import Compliance
import ControlPlane
import Cryptography
import Database
import FoundationEssentials
import Jobs
import Logging
import Migrations
import Outgoing
import Platform
import ServiceLifecycle
import Tenancy
import TenantRuntime
import UnixSignals
import Web

/// The whole product, put together once, top to bottom.
struct Wiring: Sendable {
  let settings: ServeSettings
  let logger: Logger
  let database: Database
  let migrator: Migrator
  let controlPlane: ControlPlane
  private let cache: Cache
  private let passwords: PasswordHasher
  private let tenancy: Tenancy
  private let wakeUp: JobWakeUp
  private let jobHandlers: [any JobHandler]
  private let metrics: [MetricFamily]
  private let tenantRuntime: TenantRuntime
  private let archive: ArchiveStore
  private let pages: Pages
  private let clock = WallClock.system
  private let random = RandomSource.system

  /// Every statement of the product; a test prepares each.
  static let statements =
    Database.statements + Tenancy.statements + Jobs.statements + Compliance.statements
    + ControlPlane.statements + TenantRuntime.statements

  /// What every module declares about the tables of a tenant.
  static let declarations =
    Tenancy.personalData + TenantRuntime.personalData + Compliance.personalData
    + ControlPlane.personalData

  init(_ settings: ServeSettings, logger: Logger) throws {
    self.settings = settings
    self.logger = logger
    database = Database(
      url: settings.databaseURL, settings: settings.database, logger: logger)
    migrator = Migrator(
      database: database, control: Migrations.control, tenant: Migrations.tenant, clock: clock,
      logger: logger)
    passwords = PasswordHasher(settings: settings.passwords, random: random)
    wakeUp = JobWakeUp(database: database, logger: logger)
    archive = settings.archive
    let queue = JobQueue(database: database, wakeUp: wakeUp, clock: clock, random: random)
    guard let masterKey = try? MasterKey(settings.masterKey) else {
      throw StartFailure("TENURE_MASTER_KEY must be 32 bytes in base64url without padding.")
    }
    cache = Cache(
      settings: settings.cache, limitName: masterKey.limitNames, clock: clock, logger: logger)
    let limits = TenantLimits(settings.limits, by: cache.limiter)
    tenancy = Tenancy(
      database: database, masterKey: masterKey,
      baseURL: settings.web.baseURL, passwords: passwords, settings: settings.tenancy,
      logouts: .backChannel(queue), clock: clock, random: random, logger: logger)
    let compliance = try Compliance(
      database: database, directory: tenancy.directory, users: tenancy.users,
      audit: tenancy.audit, queue: queue, store: archive, declarations: Self.declarations,
      exports: settings.exports, clock: clock, random: random)
    pages = try Pages(serverName: "Tenure", TenantRuntime.templates + ControlPlane.templates)
    controlPlane = ControlPlane(
      database: database, migrator: migrator, tenancy: tenancy, compliance: compliance,
      queue: queue, limits: limits, pages: pages, server: settings.web.baseURL,
      version: Build.version,
      ready: settings.readyOrganizations, clock: clock, random: random, logger: logger)
    let outgoing = OutgoingHTTP(
      settings: settings.outgoing,
      resolver: .system(timeoutSeconds: settings.outgoing.connectSeconds), clock: clock,
      logger: logger)
    tenantRuntime = TenantRuntime(
      database: database, tenancy: tenancy, consents: compliance.consents,
      requests: compliance.requests, packages: compliance.packages, counters: cache.counters,
      replays: cache.replays, limits: limits, outgoing: outgoing,
      keySets: RemoteJWKSets(http: outgoing, clock: clock), pages: pages,
      settings: settings.runtime, server: settings.web.baseURL, clock: clock,
      random: random)
    jobHandlers = compliance.jobHandlers + controlPlane.jobHandlers + tenantRuntime.jobHandlers
    metrics =
      ProcessMetrics.families + [Build.metric] + database.metrics + cache.metrics
      + passwords.metrics + outgoing.metrics + tenancy.metrics + compliance.metrics
      + tenantRuntime.metrics
  }

  /// Runs the duties until the process is told to stop, or until one of them fails.
  ///
  /// - Parameters:
  ///   - roles: What this process does.
  ///   - onListening: Called once requests are answered, with the address of the internal listener.
  /// - Throws: what the first duty that fails throws.
  func serve(
    _ roles: Set<Role>, onListening: @escaping @Sendable (_ internalURL: String) async -> Void
  ) async throws {
    try archive.prepare()
    let tracer = settings.traces.endpoint.map { _ in
      SpanRecorder(sampleRatio: settings.traces.sampleRatio, spansMax: 8192)
    }
    var services: [any Service] = [database, cache, passwords] + tenancy.services + [wakeUp]
    var metrics = metrics + (tracer?.metrics ?? [])
    if roles.contains(.worker) {
      let workers = Workers(self, tracer)
      services += workers.services
      metrics += workers.metrics
    }
    if roles.contains(.control) { services += controlPlane.services }
    let groups = groups(roles)
    let arrival = Arrival(
      of: settings.internalListener, awaitingPublic: !groups.isEmpty, then: onListening)
    let readiness = Health.readiness(
      database: database, migrator: migrator, cache: cache, audit: tenancy.audit)
    let drain = Drain(
      readiness: readiness, delaySeconds: groups.isEmpty ? 0 : settings.web.drainDelaySeconds)
    if !groups.isEmpty {
      let server = WebServer(
        settings: settings.web, pages: pages, groups: groups, logger: logger, clock: clock,
        lines: accessLines, tracer: tracer, drain: drain, backlog: { database.queueTime },
        generation: { [tenancy] in tenancy.generation }, translate: Outage.refusal,
        onListening: { _ in await arrival.publicListens() }
      )
      services.append(server)
      metrics += server.metrics
    }
    let listener = InternalServer(
      settings: settings.internalListener, readiness: readiness,
      metrics: MetricsRegistry(metrics), logger: logger,
      onListening: { await arrival.internalListens(on: $0) })
    // Services stop in reverse order: first no more new requests, then none at all, last no more
    // database, and until the very end somebody says how it goes.
    services = [listener] + exporter(tracer) + services + [drain]
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
  }

  /// What the duties answer over HTTP.
  func groups(_ roles: Set<Role>) -> [EndpointGroup] {
    (roles.contains(.control) ? controlPlane.groups : [])
      + (roles.contains(.runtime) ? tenantRuntime.groups : [])
  }

  /// Methods and paths of what they answer.
  func routes(_ roles: Set<Role>) -> [String] { WebServer.routes(groups(roles), pages) }

  private var accessLines: AccessLines? {
    guard logger.logLevel <= .info else { return nil }
    return AccessLines(
      settings.logFormat, logger: logger.label, clock: clock, sink: .standardError)
  }

  private func exporter(_ tracer: SpanRecorder?) -> [any Service] {
    guard let tracer, let endpoint = settings.traces.endpoint else { return [] }
    return [
      TraceExporter(
        recorder: tracer, endpoint: endpoint, version: Build.version, logger: logger)
    ]
  }

  /// What runs jobs.
  private struct Workers {
    let services: [any Service]
    let metrics: [MetricFamily]

    init(_ product: Wiring, _ tracer: SpanRecorder?) {
      let worker = JobWorker(
        database: product.database, handlers: product.jobHandlers,
        settings: product.settings.workers, clock: product.clock, random: product.random,
        logger: product.logger, tracer: tracer)
      let census = JobCensus(
        database: product.database, clock: product.clock, logger: product.logger)
      let scheduler = JobScheduler(
        database: product.database, wakeUp: product.wakeUp, handlers: product.jobHandlers,
        settings: product.settings.scheduler, clock: product.clock, random: product.random,
        logger: product.logger)
      services = [worker, scheduler, census]
      metrics = worker.metrics + census.metrics
    }
  }

  /// Brings the control plane's schema up to date.
  ///
  /// - Returns: what it applied.
  /// - Throws: ``StartFailure`` where Postgres does not answer or refuses.
  @discardableResult
  func migrate() async throws -> [Migration] {
    do {
      return try await migrator.migrateControl()
    } catch let error as DatabaseError {
      throw StartFailure("Postgres refuses: \(error.debugDescription)")
    }
  }

  /// Refuses to serve a database that `tenure migrate` has not brought up to date, or whose keys
  /// another master key has wrapped.
  ///
  /// - Throws: ``StartFailure``, also where Postgres does not answer.
  func requireUsableDatabase() async throws {
    do {
      let pending = try await migrator.pendingControl()
      guard pending.isEmpty else {
        throw StartFailure(
          "The database lacks \(pending.count) migrations: run 'tenure migrate' first.")
      }
      _ = try await tenancy.directory.find(slug: Tenant.systemSlug)
    } catch let error as DatabaseError {
      throw StartFailure("Postgres refuses: \(error.debugDescription)")
    } catch is CryptographyError {
      throw StartFailure(
        "TENURE_MASTER_KEY is not the key that this database's keys were wrapped with.")
    }
  }
}

/// Errors that mean "not now": what the product stands on is away or full.
enum Outage {
  static func refusal(of error: any Error) -> (any Refusal)? {
    switch error {
    case let error as DatabaseError where error.isUnavailable:
      Problem.unavailable(
        "The service is not available right now. Try again in a moment.",
        reason: error.debugDescription)
    // The organization was deleted while the request was on its way.
    case let error as DatabaseError where error.isTenantMissing:
      Problem.notFound(reason: error.debugDescription)
    case PasswordHashError.busy, PasswordHashError.stopped:
      Problem.unavailable(
        "Too many people are signing in right now. Try again in a moment.",
        reason: "password hashing is busy")
    case let error as AuditError:
      Problem.unavailable(
        "The service is not available right now. Try again in a moment.",
        reason: String(reflecting: error))
    default: nil
    }
  }
}
