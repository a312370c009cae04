import Foundation
import NIOHTTP1
import Platform

/// The organizations that take part, made through the administration interface and the pages.
actor World {
  private let product: Product
  private let admin: AdminClient
  private var made: [Organization] = []
  /// Numbers that were used, also by organizations that could not be made whole.
  private var tried = 0
  /// Organizations being made at the same time: their keys take the time of a processor.
  private static let parallel = 8

  init(_ product: Product) {
    self.product = product
    admin = AdminClient(port: product.port, access: product.admin)
  }

  func organizations(_ count: Int) async throws -> [Organization] {
    if made.count < count {
      Terminal.note("  making \(count - made.count) organizations")
      let (port, admin) = (product.port, admin)
      let numbers = tried..<(tried + count - made.count)
      tried = numbers.upperBound
      // One that fails does not take those along that are made already.
      let results = try await Parallel.map(numbers, width: Self.parallel) { number in
        await Result { try await Organization.make(number, admin: admin, port: port) }
      }
      made += results.compactMap { try? $0.get() }
      for result in results { _ = try result.get() }
    }
    return Array(made.prefix(count))
  }
}

/// One organization with applications, people and a browser that is signed in.
struct Organization: Sendable {
  let slug: String
  /// Client credentials with ES256 and with RS256 access tokens.
  let services: [SigningName: Credentials]
  /// A confidential web application people sign in to.
  let web: Credentials
  let people: [Person]

  enum SigningName: String, Sendable, CaseIterable {
    case es256 = "ES256"
    case rs256 = "RS256"
  }

  struct Credentials: Sendable {
    let id: String
    let secret: String

    var basic: (String, String) { Form.basic(id, secret) }
  }

  struct Person: Sendable {
    let username: String
    let password: String
    /// The cookies of the browser in which this person is signed in and has consented.
    let session: String
  }

  static let redirectURI = "https://app.example.org/callback"
  static let scope = "openid profile email offline_access"
  /// RFC 7636 appendix B.
  static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
  static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
  /// The first organization has enough people that sign-ins at a time are not all of one person.
  private static let peopleOfFirst = 16

  func path(_ rest: String) -> String { "/t/\(slug)/\(rest)" }

  static func make(_ number: Int, admin: AdminClient, port: Int) async throws -> Organization {
    let slug = "bench-\(number)"
    let id = try await admin.post(
      "organizations",
      [
        "slug": .string(slug), "name": .string("Bench \(number)"),
        "settings": ["access_token_lifetime_seconds": 86_400],
      ]
    ).member("id")
    var services: [SigningName: Credentials] = [:]
    for algorithm in SigningName.allCases {
      services[algorithm] = try await admin.client(
        of: id,
        [
          "client_name": .string("Service \(algorithm.rawValue)"),
          "grant_types": ["client_credentials"],
          "response_types": [], "scope": "reports:read reports:write",
          "access_token_signed_response_alg": .string(algorithm.rawValue),
        ])
    }
    let web = try await admin.client(
      of: id,
      [
        "client_name": "Web", "redirect_uris": [.string(redirectURI)],
        "grant_types": ["authorization_code", "refresh_token"], "scope": .string(scope),
        "id_token_signed_response_alg": "ES256",
      ])
    var people: [Person] = []
    for index in 0..<(number == 0 ? peopleOfFirst : 1) {
      let (username, password) = ("person-\(index)", "correct horse battery \(number)")
      try await admin.post(
        "organizations/\(id)/users",
        [
          "username": .string(username), "password": .string(password),
          "email": .string("\(username)@example.org"), "name": "A Person",
        ])
      let browser = Browser(port: port)
      try await browser.authorize(slug: slug, client: web.id, username, password)
      people.append(
        Person(username: username, password: password, session: await browser.cookieHeader))
    }
    return Organization(slug: slug, services: services, web: web, people: people)
  }

  // MARK: Requests

  /// The start of a code flow, in the browser of a person or in one where nobody is signed in.
  func authorize(_ person: Person?) -> HTTPRequest {
    .get(
      Self.authorizePath(slug: slug, client: web.id),
      headers: person.map { [("Cookie", $0.session)] } ?? [])
  }

  func redeem(code: String) -> HTTPRequest {
    .post(
      path("oauth2/token"),
      form: [
        ("grant_type", "authorization_code"), ("code", code),
        ("redirect_uri", Self.redirectURI), ("code_verifier", Self.verifier),
      ], headers: [web.basic])
  }

  func refresh(_ token: String) -> HTTPRequest {
    .post(
      path("oauth2/token"), form: [("grant_type", "refresh_token"), ("refresh_token", token)],
      headers: [web.basic])
  }

  /// The tokens of a new grant, by the whole code flow in a browser that is signed in.
  func tokens(at port: Int) async throws -> (access: String, refresh: String) {
    let answer = try await HTTP.send(authorize(people.randomElement()), at: port)
    guard let code = answer.locationParameter("code") else {
      throw BenchFailure("\(slug): no code but \(answer.status): \(answer.location ?? answer.text)")
    }
    let reply = try await HTTP.send(redeem(code: code), at: port).require(200)
    return (try reply.member("access_token"), try reply.member("refresh_token"))
  }

  fileprivate static func authorizePath(slug: String, client: String) -> String {
    let query = Form.encode([
      ("response_type", "code"), ("client_id", client), ("redirect_uri", redirectURI),
      ("scope", scope), ("state", "s"), ("nonce", "n"), ("code_challenge", challenge),
      ("code_challenge_method", "S256"),
    ])
    return "/t/\(slug)/oauth2/authorize?\(query)"
  }
}

/// A browser without JavaScript that goes through the pages once.
private actor Browser {
  private let port: Int
  private var cookies: [String: String] = [:]

  init(port: Int) { self.port = port }

  var cookieHeader: String { cookies.map { "\($0)=\($1)" }.sorted().joined(separator: "; ") }

  /// Signs in and consents.
  func authorize(slug: String, client: String, _ username: String, _ password: String)
    async throws
  {
    var reply = try await send(
      .get(Organization.authorizePath(slug: slug, client: client)))
    reply = try await send(.get(Self.path(reply)))
    reply = try await submit(
      reply, "/t/\(slug)/login",
      [("username", username), ("password", password)])
    reply = try await send(.get(Self.path(reply)))
    reply = try await send(.get(Self.path(reply)))
    reply = try await submit(reply, "/t/\(slug)/consent", [("decision", "accept")])
    for _ in 0..<2 where reply.locationParameter("code") == nil {
      reply = try await send(.get(Self.path(reply)))
    }
    guard reply.locationParameter("code") != nil else {
      throw BenchFailure("\(slug): the pages lead to no code but to \(reply.status)")
    }
  }

  private func submit(_ page: HTTPReply, _ path: String, _ fields: [(String, String)]) async throws
    -> HTTPReply
  {
    try page.require(200)
    guard let csrf = page.hidden("csrf"), let next = page.hidden("continue") else {
      throw BenchFailure("\(page.request): a page without its form")
    }
    return try await send(.post(path, form: [("csrf", csrf), ("continue", next)] + fields))
  }

  private func send(_ request: HTTPRequest) async throws -> HTTPReply {
    var request = request
    if !cookies.isEmpty { request.headers.append(("Cookie", cookieHeader)) }
    let reply = try await HTTP.send(request, at: port)
    for cookie in reply.cookies {
      let parts = cookie.split(separator: "=", maxSplits: 1).map(String.init)
      cookies[parts[0]] = parts.count == 2 ? parts[1] : ""
    }
    return reply
  }

  /// Where an answer leads, on this server.
  private static func path(_ reply: HTTPReply) throws -> String {
    guard reply.status == 302 || reply.status == 303, let location = reply.location else {
      throw BenchFailure(
        "\(reply.request) answered \(reply.status): \(reply.text.prefix(300))")
    }
    guard let scheme = location.firstRange(of: "://") else { return location }
    let rest = location[scheme.upperBound...]
    return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
  }
}

/// The administration interface, with a token that is renewed in time.
actor AdminClient {
  private let port: Int
  private let access: AdminAccess
  private var token: (value: String, until: Date)?

  init(port: Int, access: AdminAccess) {
    self.port = port
    self.access = access
  }

  @discardableResult
  func post(_ path: String, _ body: JSON) async throws -> HTTPReply {
    let request = HTTPRequest(
      method: .POST, path: "/admin/v1/\(path)",
      headers: [
        ("Authorization", "Bearer \(try await accessToken())"),
        ("Content-Type", "application/json"),
      ], body: body.text)
    let reply = try await HTTP.send(request, at: port)
    guard (200..<300).contains(reply.status) else { return try reply.require(201) }
    return reply
  }

  func client(of organization: String, _ metadata: JSONObject) async throws
    -> Organization.Credentials
  {
    let reply = try await post("organizations/\(organization)/clients", .object(metadata))
    return Organization.Credentials(
      id: try reply.member("client_id"), secret: try reply.member("client_secret"))
  }

  /// Two callers may both renew it; both tokens are good.
  private func accessToken() async throws -> String {
    if let token, token.until > Date() { return token.value }
    let form = [
      ("grant_type", "client_credentials"), ("client_id", access.clientID),
      ("client_secret", access.clientSecret), ("scope", access.scope),
    ]
    let reply = try await HTTP.send(.post("/t/system/oauth2/token", form: form), at: port)
    let value = try reply.require(200).member("access_token")
    token = (value, Date(timeIntervalSinceNow: 60))
    return value
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

/// Several at a time, results in order.
enum Parallel {
  static func map<Element: Sendable, Result: Sendable>(
    _ elements: some Collection<Element>, width: Int,
    _ body: @escaping @Sendable (Element) async throws -> Result
  ) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
      var results: [Result?] = Array(repeating: nil, count: elements.count)
      var waiting = elements.enumerated().makeIterator()
      func start() {
        guard let (index, element) = waiting.next() else { return }
        group.addTask { (index, try await body(element)) }
      }
      for _ in 0..<width { start() }
      while let (index, result) = try await group.next() {
        results[index] = result
        start()
      }
      return results.compactMap { $0 }
    }
  }
}
