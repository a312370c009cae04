import Foundation
import NIOHTTP1
import Platform
import Testing

/// How the answer of the authorization endpoint travels: the Basic and the Form Post Basic plan are the
/// same modules with one or the other.
enum ResponseMode: String, Sendable, CaseIterable, CustomTestStringConvertible {
  case query
  case formPost = "form_post"

  var testDescription: String { rawValue }
}

/// What the suite plays: an application with a person in front of a browser.
///
/// It sends no code challenge, as the Basic plan does not; its client has a waiver.
struct RelyingParty: Sendable {
  static let redirectURI = "https://app.example.org/callback"
  static let scope = "openid profile email address phone offline_access"

  let mode: ResponseMode
  let tenant: TestTenant
  let application: TestApplication
  let person: TestPerson
  let browser: Browser
  let state = UUID().uuidString
  let nonce = UUID().uuidString

  init(
    mode: ResponseMode, tenant: TestTenant, application: TestApplication, person: TestPerson,
    browser: Browser = Browser()
  ) {
    (self.mode, self.tenant, self.application) = (mode, tenant, application)
    (self.person, self.browser) = (person, browser)
  }

  /// A new organization with an application and a person who has every claim.
  init(_ harness: Harness, _ mode: ResponseMode, _ metadata: JSONObject = [:]) async throws {
    let tenant = try await harness.tenant()
    self.init(
      mode: mode, tenant: tenant, application: try await Self.application(of: tenant, metadata),
      person: try await tenant.completePerson())
  }

  static func application(of tenant: TestTenant, _ changes: JSONObject = [:]) async throws
    -> TestApplication
  {
    let metadata: JSONObject = [
      "redirect_uris": [.string(redirectURI)], "scope": .string(scope),
      "pkce_waiver_reason": "the conformance suite sends no code challenge",
    ]
    return try await tenant.application(metadata.merging(changes))
  }

  /// The same person with the same browser at another application.
  func with(_ application: TestApplication) -> RelyingParty {
    RelyingParty(
      mode: mode, tenant: tenant, application: application, person: person, browser: browser)
  }

  // MARK: Authorization

  /// The parameters of a request; nil leaves one out.
  func parameters(_ changes: [String: String?]) -> [(String, String)] {
    var values: [String: String] = [
      "response_type": "code", "client_id": application.id,
      "redirect_uri": application.redirectURI, "scope": "openid", "state": state, "nonce": nonce,
    ]
    if mode == .formPost { values["response_mode"] = mode.rawValue }
    for (name, value) in changes { values[name] = value }
    return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  func url(_ changes: [String: String?]) -> String {
    "\(tenant.issuer)/oauth2/authorize?\(HTTP.encode(parameters(changes)))"
  }

  /// Goes through the pages as the person does, until the answer comes.
  func authorize(_ changes: [String: String?] = [:]) async throws -> Answer {
    try await proceed(try await browser.open(url(changes)))
  }

  func proceed(_ visit: (url: String, reply: Reply)) async throws -> Answer {
    var (at, reply) = visit
    var pages: [Reply] = []
    if reply.text.contains("id=\"password\"") {
      pages.append(reply)
      (at, reply) = try await browser.submit(
        reply, at: at, fill: [("username", person.username), ("password", person.password)],
        press: "submit")
    }
    let wasAsked = reply.text.contains("id=\"accept\"")
    if wasAsked {
      pages.append(reply)
      (at, reply) = try await browser.submit(reply, at: at, press: "accept")
    }
    return try Answer(reply, self, pages: pages)
  }

  /// The answer that reached the application.
  struct Answer: Sendable {
    let parameters: [String: String]
    /// The pages that were shown on the way.
    let pages: [Reply]

    var code: String? { parameters["code"] }
    var error: String? { parameters["error"] }
    var askedForPassword: Bool { pages.contains { $0.text.contains("id=\"password\"") } }

    init(_ reply: Reply, _ party: RelyingParty, pages: [Reply]) throws {
      self.pages = pages
      let pairs: [(String, String)]
      switch party.mode {
      case .query:
        guard reply.status == 303, let location = reply.location,
          location.hasPrefix(party.application.redirectURI)
        else { throw TestFailure("No way back to the application: \(reply)") }
        pairs = (URLComponents(string: location)?.queryItems ?? []).map {
          ($0.name, $0.value ?? "")
        }
      case .formPost:
        let form = Browser.forms(reply.text).first { $0.buttons["submit"] != nil }
        guard reply.status == 200, reply.location == nil, let form, form.method == "post",
          form.action == party.application.redirectURI
        else { throw TestFailure("No form for the application: \(reply)") }
        try Self.checkScript(reply)
        pairs = form.values
      }
      let registered = URLComponents(string: party.application.redirectURI)?.queryItems ?? []
      let own = pairs.filter { pair in !registered.contains { $0.name == pair.0 } }
      let known: Set = [
        "code", "state", "iss", "session_state", "error", "error_description", "error_uri",
      ]
      guard Set(own.map(\.0)).count == own.count, own.allSatisfy({ known.contains($0.0) }) else {
        throw TestFailure("Odd parameters: \(pairs)")
      }
      parameters = Dictionary(own) { first, _ in first }
      guard parameters["iss"] == party.tenant.issuer else { throw TestFailure("iss: \(pairs)") }
    }

    /// The policy of the page allows its one script and no other.
    private static func checkScript(_ reply: Reply) throws {
      let scripts = reply.text.matches(of: /<script>([^<]*)<\/script>/).map { String($0.1) }
      let policy = reply.headers.first(name: "content-security-policy") ?? ""
      guard scripts.count == 1, reply.text.components(separatedBy: "<script").count == 2,
        policy.contains("script-src 'sha256-"), !policy.contains("unsafe")
      else { throw TestFailure("The form does not send itself: \(policy)") }
    }
  }

  // MARK: Tokens

  func redeem(_ code: String?, _ extra: [(String, String)] = []) async throws -> Reply {
    try await token(
      [
        ("grant_type", "authorization_code"), ("code", code ?? ""),
        ("redirect_uri", application.redirectURI),
      ] + extra)
  }

  func refresh(_ token: JSON?) async throws -> Reply {
    try await self.token([
      ("grant_type", "refresh_token"), ("refresh_token", token?.stringValue ?? ""),
    ])
  }

  func token(_ form: [(String, String)]) async throws -> Reply {
    try await HTTP.post(
      form: form, to: "\(tenant.issuer)/oauth2/token", headers: [application.basic])
  }

  /// The whole way: pages, code, tokens, with the ID token verified.
  func signIn(_ changes: [String: String?] = [:]) async throws -> SignIn {
    let answer = try await authorize(changes)
    guard let code = answer.code else { throw TestFailure("No code: \(answer.parameters)") }
    return try await SignIn(answer, redeem(code), self)
  }

  struct SignIn: Sendable {
    let answer: Answer
    let tokens: JSON
    let claims: JSONObject

    init(_ answer: Answer, _ reply: Reply, _ party: RelyingParty) async throws {
      guard reply.status == 200 else { throw TestFailure("No tokens: \(reply)") }
      self.answer = answer
      tokens = reply.json
      claims = try await party.tenant.verified(
        reply.json["id_token"]?.stringValue ?? "", type: "JWT")
      guard claims["aud"]?.stringValue == party.application.id else {
        throw TestFailure("aud: \(JSON.object(claims).text)")
      }
    }

    var authTime: Int { claims["auth_time"]?.integerValue ?? 0 }
    var accessToken: JSON? { tokens["access_token"] }
    var idToken: String { tokens["id_token"]?.stringValue ?? "" }
  }

  /// Waits until the sign-in is more than a second old: `prompt=none` with `max_age=1` is refused then.
  func outgrowSignIn() async throws {
    for _ in 0..<600 {
      if try await authorize(["prompt": "none", "max_age": "1"]).error == "login_required" {
        return
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw TestFailure("The sign-in does not age.")
  }
}

extension TestTenant {
  /// A person who has every standard claim.
  func completePerson() async throws -> TestPerson {
    let person = try await person()
    try await admin.document(
      .PATCH, "\(path)/users/\(person.id)",
      [
        "given_name": "Quentin", "family_name": "Zyx", "middle_name": "Q", "nickname": "Q",
        "preferred_username": .string(person.username),
        "profile": "https://people.example.org/q", "picture": "https://people.example.org/q.png",
        "website": "https://q.example.org/", "gender": "male", "birthdate": "1990-12-31",
        "zoneinfo": "Europe/Brussels", "locale": "nl-BE", "phone_number": "+32 2 555 01 23",
        "phone_number_verified": true,
      ])
    return person
  }
}
