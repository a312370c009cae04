import Foundation
import Platform

/// What the rows work with: the services, the product as a process of its own, and organizations.
actor Bench {
  nonisolated let plan: Plan
  nonisolated let services: Services
  nonisolated let product: Product
  private let world: World
  private var hello: Companion?

  init(_ plan: Plan) async throws {
    try FileManager.default.createDirectory(
      atPath: Report.folder, withIntermediateDirectories: true)
    self.plan = plan
    services = try Services()
    product = try await Product(services)
    world = World(product)
  }

  func end() async {
    await hello?.end()
    await product.process.end()
  }

  /// The first so many organizations with everything the load needs; makes those that are missing.
  ///
  /// An actor makes them once: rows run one after the other.
  func organizations(_ count: Int) async throws -> [Organization] {
    try await world.organizations(count)
  }

  /// Asks every organization for something, so that caches and connections know them all.
  func warmUp(_ tenants: Int) async throws {
    for organization in try await organizations(tenants) {
      try await HTTP.send(.get(organization.path(".well-known/jwks.json")), at: product.port)
        .require(200)
    }
  }

  /// Port and process of a bare Hummingbird that answers "hello": the ceiling of everything over HTTP.
  func helloServer() async throws -> (port: Int, pid: Int32) {
    if let hello, hello.isRunning { return (Self.helloPort, hello.pid) }
    let process = try Companion(
      [CommandLine.arguments[0], "hello", "--port", "\(Self.helloPort)"], environment: [:],
      log: URL(fileURLWithPath: "\(Report.folder)/hello.log"))
    hello = process
    try await Product.awaitAnswer(at: Self.helloPort, of: process)
    return (Self.helloPort, process.pid)
  }

  private static let helloPort = 18_099

  /// Runs a load and says what it cost whom, in seconds of processor time.
  nonisolated func accounting<Result>(
    _ body: () async throws -> Result
  ) async rethrows -> (result: Result, cost: Cost) {
    let before = Cost(
      product: ProcessorTime.seconds(ofTree: product.process.pid),
      postgres: ProcessorTime.seconds(ofTree: services.postmaster),
      load: ProcessorTime.secondsOfEnded)
    let result = try await body()
    let cost = Cost(
      product: ProcessorTime.seconds(ofTree: product.process.pid) - before.product,
      postgres: ProcessorTime.seconds(ofTree: services.postmaster) - before.postgres,
      load: ProcessorTime.secondsOfEnded - before.load)
    product.process.forgetLog()
    return (result, cost)
  }
}

/// Processor time of a run, in seconds.
struct Cost: Sendable {
  let product: Double
  let postgres: Double
  let load: Double
}

/// The Postgres and the Redis that the script started.
struct Services: Sendable {
  let databaseURL: String
  let redisURL: String
  let postmaster: Int32

  init() throws {
    let environment = ProcessInfo.processInfo.environment
    guard let server = environment["TENURE_TEST_DATABASE_URL"],
      let redis = environment["TENURE_TEST_REDIS_URL"]
    else { throw BenchFailure("There is no Postgres: start with 'make bench'.") }
    try Self.requireDurable(server)
    guard let pid = environment["TENURE_TEST_POSTMASTER"].flatMap({ Int32($0) }) else {
      throw BenchFailure("Postgres has no process.")
    }
    postmaster = pid
    databaseURL = try Self.freshDatabase("tenure_bench", on: server)
    redisURL = redis
  }

  /// An empty database; its address.
  static func freshDatabase(_ name: String, on server: String) throws -> String {
    try psql("create database \(name)", at: server)
    guard var parts = URLComponents(string: server) else {
      throw BenchFailure("\(server) is no address.")
    }
    parts.path = "/\(name)"
    guard let url = parts.string else { throw BenchFailure("\(server) is no address.") }
    return url
  }

  @discardableResult
  static func psql(_ statement: String, at url: String) throws -> String {
    try Program.output("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, url])
  }

  /// Figures of a Postgres that forgets are no figures.
  private static func requireDurable(_ server: String) throws {
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
      guard try psql("show \(setting)", at: server) == "on" else {
        throw BenchFailure("Postgres runs with \(setting) off.")
      }
    }
  }
}

/// The built product: migrated, bootstrapped and serving.
struct Product: Sendable {
  let process: Companion
  let port: Int
  let admin: AdminAccess
  let environment: [String: String]

  var base: String { "http://localhost:\(port)" }

  static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("tenure").path

  /// Limits that a load from one address would run into are far away, and still counted; every check stays.
  private static func environment(_ services: Services, port: Int) -> [String: String] {
    let far = "1000000/s:1000000"
    return [
      "TENURE_DATABASE_URL": services.databaseURL, "TENURE_REDIS_URL": services.redisURL,
      "TENURE_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
      "TENURE_BASE_URL": "http://localhost:\(port)", "TENURE_HTTP_PORT": "\(port)",
      "TENURE_ARCHIVE_DIRECTORY": "\(Report.folder)/archive",
      "TENURE_AUDIT_SPILL_DIRECTORY": "\(Report.folder)/spill",
      "TENURE_SHUTDOWN_DELAY_SECONDS": "0",
      "TENURE_INTERNAL_PORT": "0", "TENURE_LIMIT_ADDRESS": far, "TENURE_LIMIT_SIGN_IN": far,
      "TENURE_LIMIT_CLIENT": far, "TENURE_LIMIT_USER": far, "TENURE_LIMIT_TENANT": far,
      "TENURE_LIMIT_OPERATOR": far, "TENURE_HTTP_CONNECTIONS_PER_ADDRESS": "off",
      "TENURE_HTTP_QUEUE_MILLISECONDS": "off",
      "TENURE_LOGIN_FREE_ATTEMPTS_PER_ADDRESS": "1000000",
      "TENURE_LOGIN_FREE_ATTEMPTS_PER_USER": "1000000",
      "TENURE_LOGIN_ATTEMPTS_PER_USER_MAX": "1000000",
    ]
  }

  init(_ services: Services, port: Int = 18_080) async throws {
    let environment = Self.environment(services, port: port)
    _ = try Program.output(Self.executable, ["migrate"], environment: environment)
    let printed = try Program.output(Self.executable, ["bootstrap"], environment: environment)
    admin = try AdminAccess(JSON.parse(Array(printed.utf8), limits: .request))
    process = try Companion(
      [Self.executable, "serve"], environment: environment,
      log: URL(fileURLWithPath: "\(Report.folder)/serve.log"))
    self.port = port
    self.environment = environment
    try await Self.awaitAnswer(at: port, of: process)
  }

  /// Waits until something answers, or until the process is gone.
  static func awaitAnswer(at port: Int, of process: Companion) async throws {
    for _ in 0..<1000 where process.isRunning {
      if (try? await HTTP.send(.get("/"), at: port)) != nil { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    let words = process.lastWords()
    await process.end()
    throw BenchFailure("Nothing listens on \(port):\n\(words)")
  }
}

/// The administrator `tenure bootstrap` made.
struct AdminAccess: Sendable {
  let clientID: String
  let clientSecret: String
  let scope: String

  init(_ document: JSON) throws {
    guard let id = document["client_id"]?.stringValue,
      let secret = document["client_secret"]?.stringValue,
      let scope = document["scope"]?.stringValue
    else { throw BenchFailure("bootstrap printed something else.") }
    (clientID, clientSecret, self.scope) = (id, secret, scope)
  }
}
