import AsyncHTTPClient
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import Platform
import Synchronization

@testable import Web

/// A request as the server would hand it to an endpoint.
func request(
  _ method: HTTPRequest.Method = .post, _ path: String = "/", _ headers: HTTPFields = [:],
  body: String = ""
) -> Request {
  Request(
    head: HTTPRequest(
      method: method, scheme: "http", authority: "localhost", path: path, headerFields: headers),
    body: RequestBody(buffer: ByteBuffer(string: body)))
}

/// The refusal `body` throws, or nil.
func refusal<R>(_ body: () async throws -> R) async -> (any Refusal)? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error as? any Refusal
  }
}

/// What a client sees of an answer.
struct Reply: Sendable {
  let status: Int
  let headers: [String: [String]]
  let body: String

  func header(_ name: String) -> String? { headers[name.lowercased()]?.first }
  var json: JSON? { try? JSON.parse(Array(body.utf8), limits: .request) }
}

/// A server on a free port for the time of one test.
struct TestServer: Sendable {
  let port: Int
  let lines: LogLines
  private let client: HTTPClient

  static func run<R: Sendable>(
    _ groups: [EndpointGroup], base: BaseURL = "http://localhost:8080",
    drain: Drain = .none, clock: WallClock = .system,
    backlog: @escaping @Sendable () -> Duration = { .zero },
    generation: @escaping @Sendable () -> UInt64? = { 0 },
    settings change: (inout WebSettings) -> Void = { _ in },
    tracer: SpanRecorder? = nil,
    translate: @escaping @Sendable (any Error) -> (any Refusal)? = { _ in nil },
    _ body: @escaping @Sendable (TestServer) async throws -> R
  ) async throws -> R {
    let lines = LogLines()
    let listening = TestSignal<Int>.armed()
    var settings = WebSettings.test(port: 0, base: base)
    change(&settings)
    let server = WebServer(
      settings: settings, pages: try Pages(serverName: "Tenure", []),
      groups: groups, logger: Logger(label: "test") { _ in CollectingHandler(lines: lines) },
      clock: clock, lines: AccessLines(.json, logger: "test", clock: .system, sink: lines.sink),
      tracer: tracer,
      drain: drain, backlog: backlog, generation: generation, translate: translate,
      onListening: { listening.signal($0) })
    let client = HTTPClient(
      eventLoopGroupProvider: .singleton,
      configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))
    let result: Result<R, any Error> = await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await server.run() }
      defer { group.cancelAll() }
      do {
        let port = try await listening.wait()
        return .success(try await body(TestServer(port: port, lines: lines, client: client)))
      } catch {
        return .failure(error)
      }
    }
    try await client.shutdown()
    return try result.get()
  }

  func send(
    _ method: String, _ path: String, _ headers: [(String, String)] = [], body: String? = nil
  ) async throws -> Reply {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
    request.method = .RAW(value: method)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    let response = try await client.execute(request, timeout: .seconds(20))
    let bytes = try await response.body.collect(upTo: 64 * 1024 * 1024)
    var fields: [String: [String]] = [:]
    for field in response.headers {
      fields[field.name.lowercased(), default: []].append(field.value)
    }
    return Reply(
      status: Int(response.status.code), headers: fields, body: String(buffer: bytes))
  }
}

/// What watches over a connection, alone: the test is the HTTP codec before it and the endpoint behind it.
struct EmbeddedConnection {
  let channel = EmbeddedChannel()
  let published: PublishedAnswers
  private let codec: ChannelHandlerContext

  init() throws {
    published = PublishedAnswers(
      log: AccessLog(
        proxies: TrustedProxies([], header: .xForwardedFor),
        metrics: RequestMetrics(routes: [], tenantsMax: 1), lines: nil, tracer: nil),
      clock: ManualClock(Date(unixSeconds: 1_800_000_000)).clock, generation: { 0 })
    let handler = ConnectionHandler(
      Connection(peer: nil), limits: ConnectionClockTests.limits, drain: .none,
      refusals: BareRefusals(headers: [:]), published: published,
      overdue: channel.eventLoop.makePromise())
    let gauge = RequestLineGauge(handler)
    try channel.pipeline.syncOperations.addHandlers([gauge, handler])
    try channel.connect(to: SocketAddress(unixDomainSocketPath: "/somewhere")).wait()
    codec = try channel.pipeline.syncOperations.context(handler: gauge)
  }

  func receive(_ part: HTTPRequestPart) { codec.fireChannelRead(NIOAny(part)) }
}

extension Drain {
  /// Of a server that is never asked to go on for a while.
  static var none: Drain {
    Drain(readiness: Readiness([], timeout: .seconds(1)), delaySeconds: 0)
  }
}

extension WebSettings {
  static func test(port: Int, base: BaseURL) -> WebSettings {
    var reader = SettingsReader(environment: [:]) { _ in nil }
    var settings = WebSettings(&reader)
    settings.port = port
    settings.baseURL = base
    settings.otherHosts = ["127.0.0.1"]
    return settings
  }
}

/// Everything a server logged.
final class LogLines: Sendable {
  struct Line: Sendable {
    let level: Logger.Level
    let message: String
    let metadata: Logger.Metadata
  }
  private let lines = Mutex<[Line]>([])

  func add(_ line: Line) { lines.withLock { $0.append(line) } }

  /// Lines of the access log, which come as JSON.
  var sink: LogSink {
    LogSink { [self] bytes in
      let members = (try? JSON.parse(bytes, limits: .request))?.objectValue ?? [:]
      let metadata = members.map { name, value in
        (name, Logger.MetadataValue.string(value.stringValue ?? value.text))
      }
      add(
        Line(
          level: .info, message: members["message"]?.stringValue ?? "",
          metadata: Logger.Metadata(metadata) { first, _ in first }))
    }
  }
  func named(_ message: String) -> [Line] {
    lines.withLock { $0.filter { $0.message == message } }
  }
  var text: String { lines.withLock { "\($0)" } }
}

struct CollectingHandler: LogHandler {
  let lines: LogLines
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  init(lines: LogLines) { self.lines = lines }

  func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    lines.add(
      LogLines.Line(level: event.level, message: event.message.description, metadata: all))
  }
}

/// A handler as an endpoint.
struct Route<Answer: ResponseGenerator & Sendable>: Endpoint {
  typealias Context = BaseContext
  let method: HTTPRequest.Method
  let path: String
  let handle: @Sendable (Request, BaseContext) async throws -> Answer

  init(
    _ method: HTTPRequest.Method, _ path: String,
    _ handle: @escaping @Sendable (Request, BaseContext) async throws -> Answer
  ) {
    self.method = method
    self.path = path
    self.handle = handle
  }

  func mount(on routes: some RouterMethods<BaseContext>) {
    routes.on(RouterPath(path), method: method, use: handle)
  }
}
