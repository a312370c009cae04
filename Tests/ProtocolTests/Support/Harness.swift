import Foundation
import Glibc
import NIOHTTP1
import Platform
import Synchronization

/// The product as one set of settings, on a database of its own.
struct Deployment: Sendable {
  let databaseURL: String
  let baseURL: String
  let folder: URL
  let environment: [String: String]
  let admin: AdminCredentials

  /// Migrates an empty database and makes the first administrator.
  init() async throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tenure-protocol-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    databaseURL = try TestServices.freshDatabase()
    let port = try Self.freePort()
    baseURL = "http://localhost:\(port)"
    environment = [
      "TENURE_DATABASE_URL": databaseURL,
      "TENURE_REDIS_URL": try TestServices.redisURL(),
      "TENURE_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
      "TENURE_BASE_URL": baseURL,
      "TENURE_HTTP_PORT": "\(port)",
      "TENURE_INTERNAL_PORT": "0",
      "TENURE_ARCHIVE_DIRECTORY": folder.appendingPathComponent("archive").path,
      "TENURE_AUDIT_SPILL_DIRECTORY": folder.appendingPathComponent("spill").path,
      // Receivers and key sets of tests are on loopback.
      "TENURE_OUTGOING_ALLOWED_DESTINATIONS": "localhost,127.0.0.0/8",
      // Every test comes from one address: the limits have tests of their own.
      "TENURE_LOGIN_FREE_ATTEMPTS_PER_ADDRESS": "1000000",
      "TENURE_LIMIT_ADDRESS": "off", "TENURE_LIMIT_SIGN_IN": "off", "TENURE_LIMIT_OPERATOR": "off",
      "TENURE_LIMIT_TENANT": "off", "TENURE_HTTP_CONNECTIONS_PER_ADDRESS": "off",
      "TENURE_HTTP_QUEUE_MILLISECONDS": "off", "TENURE_HTTP_ANSWER_SECONDS": "300",
      "TENURE_SHUTDOWN_DELAY_SECONDS": "0",
      "TENURE_JOB_LEASE_SECONDS": "2",
      // A hundred tests at once on two cores wait longer than a person would.
      "TENURE_DATABASE_WAIT_SECONDS": "120",
      "TENURE_PASSWORD_DEADLINE_SECONDS": "60",
    ]
    let migrate = try await TenureProcess(["migrate"], environment: environment, folder: folder)
    guard try await migrate.wait() == 0 else { throw TestFailure("migrate: \(migrate.printed())") }
    let bootstrap = try await TenureProcess(["bootstrap"], environment: environment, folder: folder)
    guard try await bootstrap.wait() == 0 else {
      throw TestFailure("bootstrap: \(bootstrap.printed())")
    }
    let printed = bootstrap.printed()
    let document = try JSON.parse(Array(printed.utf8), limits: .request)
    guard let endpoint = document["token_endpoint"]?.stringValue,
      let id = document["client_id"]?.stringValue,
      let secret = document["client_secret"]?.stringValue,
      let scope = document["scope"]?.stringValue
    else { throw TestFailure("bootstrap printed \(printed)") }
    admin = AdminCredentials(
      baseURL: baseURL, tokenEndpoint: endpoint, clientID: id, clientSecret: secret, scope: scope)
  }

  /// Starts a process with some duties; one that serves HTTP listens when this returns.
  func serve(roles: String, environment extra: [String: String] = [:]) async throws
    -> TenureProcess
  {
    let environment = environment.merging(extra) { $1 }
    let process = try await TenureProcess(
      ["serve", "--roles", roles], environment: environment, folder: folder)
    guard roles != "worker" else { return process }
    let port = UInt16((extra["TENURE_HTTP_PORT"] ?? environment["TENURE_HTTP_PORT"]) ?? "") ?? 0
    for _ in 0..<1500 {
      if Self.connects(to: port) { return process }
      guard process.isRunning else { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw TestFailure("The server does not listen:\n\(process.printed())")
  }

  /// The same, with an internal listener where the test expects it.
  func serve(
    roles: String, internalPort: UInt16, environment extra: [String: String] = [:]
  ) async throws -> TenureProcess {
    let process = try await serve(
      roles: roles, environment: extra.merging(["TENURE_INTERNAL_PORT": "\(internalPort)"]) { $1 })
    for _ in 0..<1500 {
      if Self.connects(to: internalPort) { return process }
      guard process.isRunning else { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw TestFailure("The internal listener does not listen:\n\(process.printed())")
  }

  /// A port that nobody listens on, for a server that says where it listens, as most do with `SO_REUSEADDR`.
  ///
  /// A socket keeps it until the tests end, or the kernel would give it to whatever asks for any port before that
  /// server is up: another test would speak to the wrong one.
  static func freePort() throws -> UInt16 {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var on: Int32 = 1
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size)) == 0
          && bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
      }
    }
    guard bound else { throw TestFailure("There is no free port.") }
    return UInt16(bigEndian: address.sin_port)
  }

  static func connects(to port: UInt16) -> Bool {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = loopback(port: port)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }
}

/// The administrator of a deployment, and calls of the admin API in its name.
final class AdminCredentials: Sendable {
  let baseURL: String
  let tokenEndpoint: String
  let clientID: String
  let clientSecret: String
  let scope: String
  private let token = Mutex<(value: String, until: Date)?>(nil)

  init(
    baseURL: String, tokenEndpoint: String, clientID: String, clientSecret: String, scope: String
  ) {
    self.baseURL = baseURL
    self.tokenEndpoint = tokenEndpoint
    self.clientID = clientID
    self.clientSecret = clientSecret
    self.scope = scope
  }

  /// An access token of the admin API, with all scopes or with those named.
  func accessToken(scope: String? = nil) async throws -> String {
    if scope == nil, let token = token.withLock({ $0 }), token.until > Date() { return token.value }
    let reply = try await HTTP.post(
      form: [
        ("grant_type", "client_credentials"), ("client_id", clientID),
        ("client_secret", clientSecret), ("scope", scope ?? self.scope),
      ], to: tokenEndpoint)
    guard let value = reply.json["access_token"]?.stringValue else {
      throw TestFailure("No admin token: \(reply)")
    }
    if scope == nil { token.withLock { $0 = (value, Date(timeIntervalSinceNow: 60)) } }
    return value
  }

  @discardableResult
  func call(
    _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, headers: [(String, String)] = []
  ) async throws -> Reply {
    var headers = headers
    headers.append(("authorization", "Bearer \(try await accessToken())"))
    if body != nil { headers.append(("content-type", "application/json")) }
    return try await HTTP.send(
      method, "\(baseURL)/admin/v1/\(path)", headers: headers, body: body?.encoded())
  }

  /// A call that must succeed; its document.
  @discardableResult
  func document(
    _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, headers: [(String, String)] = []
  ) async throws -> JSON {
    let reply = try await call(method, path, body, headers: headers)
    guard (200..<300).contains(reply.status) else {
      throw TestFailure("\(method) \(path): \(reply)")
    }
    return reply.json
  }
}

/// The deployment that most tests share: one process with every duty, a fresh organization a test.
struct Harness: Sendable {
  let deployment: Deployment
  let process: TenureProcess

  var admin: AdminCredentials { deployment.admin }

  private static let started = Task {
    let deployment = try await Deployment()
    return Harness(
      deployment: deployment, process: try await deployment.serve(roles: "control,runtime,worker"))
  }

  static func shared() async throws -> Harness { try await started.value }

  /// A new organization with a person and a confidential application.
  func tenant() async throws -> TestTenant { try await TestTenant(admin) }
}

/// Lets a few through at a time.
actor Gate {
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(width: Int) {
    free = width
  }

  nonisolated func pass<Result: Sendable>(
    _ body: @Sendable () async throws -> Result
  ) async rethrows -> Result {
    await enter()
    do {
      let result = try await body()
      await leave()
      return result
    } catch {
      await leave()
      throw error
    }
  }

  private func enter() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  private func leave() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }
}

/// One organization made for a test.
struct TestTenant: Sendable {
  /// Keys take time to make: tests that all start at once would starve each other.
  private static let gate = Gate(width: 3)

  let admin: AdminCredentials
  let id: String
  let slug: String
  let issuer: String

  init(admin: AdminCredentials, id: String, slug: String, issuer: String) {
    self.admin = admin
    self.id = id
    self.slug = slug
    self.issuer = issuer
  }

  init(_ admin: AdminCredentials) async throws {
    self.admin = admin
    slug = "t-\(UUID().uuidString.prefix(13).lowercased())"
    let body: JSON = ["slug": .string(slug), "name": "A test organization"]
    let document = try await Self.gate.pass {
      try await admin.document(.POST, "organizations", body)
    }
    guard let id = document["id"]?.stringValue, let issuer = document["issuer"]?.stringValue else {
      throw TestFailure("An organization without id or issuer: \(document.text)")
    }
    self.id = id
    self.issuer = issuer
  }

  var path: String { "organizations/\(id)" }

  /// A person with a name, an address and a password that no other test uses.
  func person() async throws -> TestPerson {
    let tag = UUID().uuidString.prefix(8).lowercased()
    let person = TestPerson(
      username: "user-\(tag)", email: "person-\(tag)@example.org",
      password: "pass-\(UUID().uuidString)",
      name: "Quentin Zyx\(tag)", street: "Nowhere Lane \(tag)")
    let document = try await admin.document(
      .POST, "\(path)/users",
      [
        "username": .string(person.username), "email": .string(person.email),
        "email_verified": true, "name": .string(person.name),
        "password": .string(person.password),
        "address": [
          "street_address": .string(person.street), "locality": "Ghent", "country": "BE",
        ],
      ])
    guard let id = document["id"]?.stringValue else { throw TestFailure("No id: \(document.text)") }
    return person.identified(id)
  }

  /// A confidential web application.
  func application(_ changes: JSONObject = [:]) async throws -> TestApplication {
    var metadata: JSONObject = [
      "client_name": "Test application",
      "redirect_uris": ["https://app.example.org/callback"],
      "grant_types": ["authorization_code", "refresh_token"],
      "token_endpoint_auth_method": "client_secret_basic",
      "scope": "openid profile email address phone offline_access",
    ]
    for (name, value) in changes { metadata[name] = value }
    let document = try await admin.document(.POST, "\(path)/clients", .object(metadata))
    guard let id = document["client_id"]?.stringValue else {
      throw TestFailure("No client: \(document.text)")
    }
    return TestApplication(
      id: id, secret: document["client_secret"]?.stringValue,
      redirectURI: document["redirect_uris"]?.arrayValue?.first?.stringValue ?? "")
  }

  /// Waits until a request has come to an end.
  func finished(request id: String) async throws -> JSON {
    for _ in 0..<600 {
      let request = try await admin.document(.GET, "\(path)/privacy/requests/\(id)")
      if ["fulfilled", "refused", "failed"].contains(request["state"]?.stringValue) {
        return request
      }
      try await Task.sleep(for: .milliseconds(100))
    }
    throw TestFailure("Request \(id) does not end.")
  }
}

struct TestPerson: Sendable {
  var id = ""
  let username: String
  let email: String
  let password: String
  let name: String
  let street: String

  init(username: String, email: String, password: String, name: String, street: String) {
    self.username = username
    self.email = email
    self.password = password
    self.name = name
    self.street = street
  }

  func identified(_ id: String) -> TestPerson {
    var person = self
    person.id = id
    return person
  }

  /// What must be nowhere once this person is erased.
  var traces: [String] { [username, email, name, street] }
}

struct TestApplication: Sendable {
  let id: String
  let secret: String?
  let redirectURI: String

  var basic: (String, String) {
    let pair = "\(HTTP.escape(id)):\(HTTP.escape(secret ?? ""))"
    return ("authorization", "Basic \(Data(pair.utf8).base64EncodedString())")
  }
}
