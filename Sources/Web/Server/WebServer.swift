import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import Platform
import ServiceLifecycle

/// The HTTP server: every group of endpoints behind the same middleware.
///
/// The chain, outermost first: request id, client address, access log, metrics and trace, body cap,
/// security headers, cross-origin access, what is left of the limits, error boundary, load shedding,
/// host check. It is put together here and nowhere else, so no endpoint can be mounted without it.
package struct WebServer: Service {
  private let settings: WebSettings
  private let responder: RouterResponder<BaseContext>
  private let logger: Logger
  private let drain: Drain
  private let published: PublishedAnswers
  private let onListening: @Sendable (Int) async -> Void
  package let metrics: [MetricFamily]

  /// Connections that may wait to be accepted, if `net.core.somaxconn` allows as many (listen(2)).
  ///
  /// Whoever finds the queue full asks again after a second, then ever later (RFC 6298).
  private static let acceptQueueMax = 4096

  /// - Parameters:
  ///   - settings: Address, port and limits.
  ///   - pages: Renders error pages; its style sheet is mounted, too.
  ///   - groups: What is served.
  ///   - logger: Its metadata appears on the lines that requests cause.
  ///   - clock: How old kept answers are.
  ///   - lines: Where each request is logged; nil where none is.
  ///   - tracer: Who records spans of requests; nil where nobody does.
  ///   - drain: Tells when no new work is wanted.
  ///   - backlog: How long the work waits that is behind everything else, such as the database's.
  ///   - generation: Another number after each change of what public documents are made from; nil while it hears of none.
  ///   - translate: Recognises errors of modules that Web does not know.
  ///   - onListening: Called with the port once connections are accepted.
  package init(
    settings: WebSettings, pages: Pages, groups: [EndpointGroup], logger: Logger,
    clock: WallClock, lines: AccessLines?, tracer: SpanRecorder?, drain: Drain,
    backlog: @escaping @Sendable () -> Duration, generation: @escaping @Sendable () -> UInt64?,
    translate: @escaping @Sendable (any Error) -> (any Refusal)?,
    onListening: @escaping @Sendable (Int) async -> Void
  ) {
    self.settings = settings
    self.logger = logger
    self.drain = drain
    self.onListening = onListening
    let groups = Self.all(groups, pages)
    let survey = Self.survey(groups)
    let table = RouteTable(routes: survey.routes.map { ($0.path, $0.method) })
    let counts = RequestMetrics(
      routes: survey.routes.map(\.path.description), tenantsMax: settings.metricsTenantsMax)
    let log = AccessLog(proxies: settings.proxies, metrics: counts, lines: lines, tracer: tracer)
    published = PublishedAnswers(log: log, clock: clock, generation: generation)
    metrics = counts.families + published.metrics
    let router = Router(context: BaseContext.self, options: .autoGenerateHeadEndpoints)
    router.addMiddleware {
      log
      BodyCap(bytesMax: settings.bodyBytesMax)
      SecurityHeaders(isSecure: settings.baseURL.isSecure)
      CrossOrigin()
      RateLimitFields()
      ErrorBoundary(pages: pages, routes: table, translate: translate)
      LoadShedding(
        shedder: LoadShedder(targetMilliseconds: settings.queueMilliseconds), backlog: backlog)
      HostCheck(base: settings.baseURL, others: settings.otherHosts)
    }
    // Those that wait elsewhere have a measure of their own, or one queue would speak for the other.
    let patient = LoadShedding(
      shedder: LoadShedder(targetMilliseconds: settings.queueMilliseconds), backlog: { .zero })
    for group in groups { group.mount(router, patient) }
    responder = router.buildResponder()
  }

  /// Everything a server with these groups answers, for documentation and tests: `GET /assets/…`.
  package static func routes(_ groups: [EndpointGroup], _ pages: Pages) -> [String] {
    survey(all(groups, pages)).routes.map { "\($0.method.rawValue) \($0.path)" }.sorted()
  }

  private static func all(_ groups: [EndpointGroup], _ pages: Pages) -> [EndpointGroup] {
    groups + [EndpointGroup([StyleSheetEndpoint(styleSheet: pages.styleSheet)])]
  }

  private static func survey(_ groups: [EndpointGroup]) -> Router<BaseContext> {
    let router = Router(context: BaseContext.self)
    for group in groups { group.mount(router, nil) }
    return router
  }

  package func run() async throws {
    let server = HTTPServerBuilder { [settings, drain, published] responder in
      GuardedChannel(
        responder: responder, limits: settings.connectionLimits,
        headerCountMax: settings.headerCountMax,
        count: ConnectionCount(perAddressMax: settings.connectionsPerAddressMax),
        proxies: settings.proxies, drain: drain,
        refusals: BareRefusals(
          headers: HTTPFields(SecurityHeaders(isSecure: settings.baseURL.isSecure).fields)),
        published: published)
    }
    let application = Application(
      responder: responder, server: server,
      configuration: ApplicationConfiguration(
        address: .hostname(settings.address, port: settings.port), backlog: Self.acceptQueueMax,
        availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionsMax)),
      onServerRunning: { [onListening, settings, drain] channel in
        drain.listens(on: channel)
        await onListening(channel.localAddress?.port ?? settings.port)
      }, logger: logger)
    do {
      try await application.run()
    } catch let error as IOError {
      throw ListenError(address: settings.address, port: settings.port, errno: error.errnoCode)
    }
  }
}

/// The server cannot listen where it was told to.
package struct ListenError: Error, Sendable, Equatable, CustomStringConvertible {
  package let address: String
  package let port: Int
  let errno: CInt

  package var description: String {
    switch errno {
    case EADDRINUSE:
      "Port \(port) on \(address) is already in use. Stop the program that uses it, or choose another port."
    case EACCES:
      "Port \(port) on \(address) needs privileges. Choose a port above 1023."
    case EADDRNOTAVAIL:
      "This machine has no address \(address)."
    default:
      "The server cannot listen on \(address), port \(port) (error \(errno))."
    }
  }
}
