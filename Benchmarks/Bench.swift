import Foundation
import Platform

/// What the rows work with: the services, the product as a process of its own, and organizations.
actor Bench {
  nonisolated let plan: Plan
  nonisolated let services: Services
  nonisolated let product: Product
  private let world: World
  private var hello: Companion?
  private var installations: [String: Installation] = [:]

  init(_ plan: Plan) async throws {
    try FileManager.default.createDirectory(
      atPath: Report.folder, withIntermediateDirectories: true)
    self.plan = plan
    services = try Services()
    product = try await Installation(services.databaseURL, services)
      .serve(port: Product.port, log: "serve")
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
    try await process.answers("/", at: Self.helloPort)
    return (Self.helloPort, process.pid)
  }

  private static let helloPort = 18_099

  /// The product on a database for one kind of row, made when it is first asked for.
  func installation(_ database: String) throws -> Installation {
    if let known = installations[database] { return known }
    let made = try Installation(Services.scratchDatabase(database), services)
    installations[database] = made
    return made
  }

  /// Returns when nobody has work left over from an earlier load: passwords of people who have gone, rows to vacuum.
  ///
  /// - Throws: ``BenchFailure`` when there is still some after half a minute.
  nonisolated func calm() async throws {
    for _ in 0..<150 {
      let before = busySeconds()
      try await Task.sleep(for: .milliseconds(200))
      if busySeconds() - before <= 0.02 { return }
    }
    throw BenchFailure("There is no calm after the load before.")
  }

  private nonisolated func busySeconds() -> Double {
    ProcessorTime.seconds(ofTree: product.process.pid)
      + ProcessorTime.seconds(ofTree: services.postmaster)
  }

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

  /// A database for one kind of row, made when it is first asked for; its address.
  static func scratchDatabase(_ name: String) throws -> String {
    guard let server = ProcessInfo.processInfo.environment["TENURE_TEST_DATABASE_URL"] else {
      throw BenchFailure("There is no Postgres: start with 'make bench'.")
    }
    let known = try psql("select count(*) from pg_database where datname = '\(name)'", at: server)
    return known == "0" ? try freshDatabase(name, on: server) : try address(of: name, on: server)
  }

  /// The schema of an organization of the load, quoted.
  func schema(of organization: Organization) throws -> String {
    let name = try Self.psql(
      "select schema_name from control.organization where slug = '\(organization.slug)'",
      at: databaseURL)
    guard !name.isEmpty else { throw BenchFailure("\(organization.slug) has no schema.") }
    return "\"\(name)\""
  }

  /// Drops a database made by ``scratchDatabase(_:)``, which nobody is connected to any more.
  ///
  /// Not by force: that wants the right to end the vacuum that may be at it, where an ordinary drop just does so.
  func drop(_ name: String) throws {
    try Self.psql("drop database \(name)", at: databaseURL)
  }

  /// An empty database; its address.
  static func freshDatabase(_ name: String, on server: String) throws -> String {
    try psql("create database \(name)", at: server)
    return try address(of: name, on: server)
  }

  private static func address(of name: String, on server: String) throws -> String {
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

/// The built product on a database of its own: migrated, and with an administrator.
struct Installation: Sendable {
  let admin: AdminAccess
  private let databaseURL: String
  private let redisURL: String

  static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("tenure").path

  init(_ databaseURL: String, _ services: Services) throws {
    (self.databaseURL, redisURL) = (databaseURL, services.redisURL)
    let environment = Self.environment(databaseURL, redisURL, port: Product.port)
    _ = try Program.output(Self.executable, ["migrate"], environment: environment)
    let printed = try Program.output(Self.executable, ["bootstrap"], environment: environment)
    admin = try AdminAccess(JSON.parse(Array(printed.utf8), limits: .request))
  }

  /// What one of its commands prints.
  @discardableResult
  func output(_ arguments: [String]) throws -> String {
    try Program.output(
      Self.executable, arguments,
      environment: Self.environment(databaseURL, redisURL, port: Product.port))
  }

  /// Serves, and returns when the process says that it wants requests and answers them.
  func serve(port: Int, log: String, isShedding: Bool = false) async throws -> Product {
    var environment = Self.environment(databaseURL, redisURL, port: port)
    if isShedding { environment["TENURE_HTTP_QUEUE_MILLISECONDS"] = nil }
    let process = try Companion(
      [Self.executable, "serve"], environment: environment,
      log: URL(fileURLWithPath: "\(Report.folder)/\(log).log"))
    try await process.answers("/readyz", at: port + Self.internalOffset)
    try await process.answers("/t/system/.well-known/jwks.json", at: port)
    return Product(process: process, port: port, installation: self)
  }

  static let masterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
  private static let internalOffset = 1000

  /// Limits that a load from one address would run into are far away, and still counted; every check stays.
  private static func environment(_ databaseURL: String, _ redisURL: String, port: Int)
    -> [String: String]
  {
    let far = "1000000/s:1000000"
    return [
      "TENURE_DATABASE_URL": databaseURL, "TENURE_REDIS_URL": redisURL,
      "TENURE_MASTER_KEY": masterKey,
      "TENURE_BASE_URL": "http://localhost:\(port)", "TENURE_HTTP_PORT": "\(port)",
      "TENURE_ARCHIVE_DIRECTORY": "\(Report.folder)/archive",
      "TENURE_AUDIT_SPILL_DIRECTORY": "\(Report.folder)/spill",
      "TENURE_SHUTDOWN_DELAY_SECONDS": "0",
      "TENURE_INTERNAL_PORT": "\(port + internalOffset)",
      "TENURE_LIMIT_ADDRESS": far, "TENURE_LIMIT_SIGN_IN": far,
      "TENURE_LIMIT_CLIENT": far, "TENURE_LIMIT_USER": far, "TENURE_LIMIT_TENANT": far,
      "TENURE_LIMIT_OPERATOR": far, "TENURE_HTTP_CONNECTIONS": "12000",
      "TENURE_HTTP_CONNECTIONS_PER_ADDRESS": "off",
      "TENURE_HTTP_QUEUE_MILLISECONDS": "off",
      "TENURE_LOGIN_FREE_ATTEMPTS_PER_ADDRESS": "1000000",
      "TENURE_LOGIN_FREE_ATTEMPTS_PER_USER": "1000000",
      "TENURE_LOGIN_ATTEMPTS_PER_USER_MAX": "1000000",
    ]
  }
}

/// A process of the product that serves.
struct Product: Sendable {
  let process: Companion
  let port: Int
  let installation: Installation

  /// Where the process listens that takes the load.
  static let port = 18_080
  /// For one that a row looks at by itself.
  static let otherPort = 18_081

  var admin: AdminAccess { installation.admin }

  /// The process itself, below the shell that holds it.
  var pid: Int32 {
    get throws {
      guard let pid = ProcessorTime.product(below: process.pid) else {
        throw BenchFailure("The product is gone:\n\(process.lastWords())")
      }
      return pid
    }
  }

  /// Ends it after the body, however that ends.
  func during<Result: Sendable>(_ body: (Product) async throws -> Result) async throws -> Result {
    do {
      let result = try await body(self)
      await process.end()
      return result
    } catch {
      await process.end()
      throw error
    }
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
