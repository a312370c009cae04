import Foundation
import NIOHTTP1
import Platform
import Testing

import struct Web.BearerChallenge
import struct Web.OAuthError

/// Every error code that an endpoint answers has a request here that provokes it.
@Suite("Error codes of the protocol endpoints")
struct ErrorCodeTests {
  static let provocations = authorization + token + others + registration

  @Test("Each code is provoked", arguments: provocations)
  func provokes(_ provocation: Provocation) async throws {
    let reply = try await provocation.provoke(ErrorScene.shared())
    #expect(reply.errorCode == provocation.code, "\(reply)")
  }

  @Test("A new code needs a request that provokes it")
  func complete() {
    let codes =
      OAuthError.Code.allCases.map(\.rawValue) + BearerChallenge.Code.allCases.map(\.rawValue)
    #expect(Set(Self.provocations.map(\.code)) == Set(codes))
  }

  /// What the specifications register, as far as this server has the feature.
  ///
  /// Where an authorization request fails for a reason of ours (`server_error`, `temporarily_unavailable`), the person
  /// gets a page. `interaction_required` and `account_selection_required` have no meaning with one session per browser.
  static let registered: [ErrorEndpoint: Set<String>] = [
    // RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6, RFC 8707 section 2, Unmet Authentication
    // Requirements section 2
    .authorization: [
      "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type",
      "invalid_scope", "login_required", "consent_required", "invalid_request_uri",
      "invalid_request_object", "request_not_supported", "request_uri_not_supported",
      "registration_not_supported", "unmet_authentication_requirements", "invalid_target",
    ],
    // RFC 6749 section 5.2, RFC 8628 section 3.5, RFC 8693 section 2.2.2, RFC 8707 section 2
    .token: [
      "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
      "unsupported_grant_type", "invalid_scope", "invalid_target", "authorization_pending",
      "slow_down", "access_denied", "expired_token", "server_error", "temporarily_unavailable",
    ],
    // RFC 8628 section 3.2: those of RFC 6749 section 5.2
    .deviceAuthorization: [
      "invalid_request", "invalid_client", "unauthorized_client", "invalid_scope",
    ],
    // RFC 7662 section 2.3
    .introspection: ["invalid_request", "invalid_client"],
    // RFC 7009 section 2.2.1
    .revocation: ["invalid_request", "invalid_client", "unsupported_token_type"],
    // RFC 6750 section 3.1, RFC 9470 section 3
    .userInfo: [
      "invalid_request", "invalid_token", "insufficient_scope",
      "insufficient_user_authentication",
    ],
    // RFC 7591 section 3.2.2, RFC 6750 section 3.1
    .registration: [
      "invalid_redirect_uri", "invalid_client_metadata", "invalid_software_statement",
      "unapproved_software_statement", "access_denied", "invalid_token",
    ],
    // RFC 7592 section 2
    .configuration: ["invalid_redirect_uri", "invalid_client_metadata", "invalid_token"],
    // draft-parecki-oauth-global-token-revocation section 4
    .globalRevocation: ["invalid_request", "invalid_token", "insufficient_scope"],
  ]

  @Test("Each endpoint answers what is registered for it", arguments: ErrorEndpoint.allCases)
  func registered(_ endpoint: ErrorEndpoint) {
    let provoked = Self.provocations.filter { $0.endpoint == endpoint }.map(\.code)
    #expect(Set(provoked) == Self.registered[endpoint])
  }
}

enum ErrorEndpoint: String, Sendable, CaseIterable {
  case authorization, token, deviceAuthorization, introspection, revocation, userInfo
  case registration, configuration, globalRevocation
}

/// A request and the code it is answered with.
struct Provocation: Sendable, CustomTestStringConvertible {
  let endpoint: ErrorEndpoint
  let code: String
  let provoke: @Sendable (ErrorScene) async throws -> Reply

  init(
    _ endpoint: ErrorEndpoint, _ code: String,
    _ provoke: @escaping @Sendable (ErrorScene) async throws -> Reply
  ) {
    (self.endpoint, self.code, self.provoke) = (endpoint, code, provoke)
  }

  var testDescription: String { "\(endpoint): \(code)" }
}

extension Reply {
  /// The code wherever the endpoint says it: at the application, in a challenge, or in the body.
  var errorCode: String? {
    let challenge = headers.first(name: "www-authenticate") ?? ""
    return locationParameter("error")
      ?? challenge.firstMatch(of: /error="([^"]*)"/).map { String($0.1) }
      ?? json["error"]?.stringValue
  }
}

/// An organization with a person who is signed in to an application, and one of each other kind.
struct ErrorScene: Sendable {
  let harness: Harness
  let party: RelyingParty
  let signIn: RelyingParty.SignIn
  let television: TestApplication
  /// Acts for itself, and may do hardly anything.
  let service: TestApplication

  var tenant: TestTenant { party.tenant }

  private static let made = Task {
    let harness = try await Harness.shared()
    let party = try await RelyingParty(harness, .query)
    return ErrorScene(
      harness: harness, party: party, signIn: try await party.signIn(),
      television: try await DeviceTests().television(party.tenant),
      service: try await party.tenant.service())
  }

  static func shared() async throws -> ErrorScene { try await made.value }

  /// The answer to an authorization request with some parameters changed.
  func authorize(_ changes: [String: String?]) async throws -> Reply {
    try await party.browser.get(party.url(changes))
  }

  /// The answer of the consent page to a request that was put into its address.
  func consent(_ changes: [String: String?]) async throws -> Reply {
    let request = party.url(changes).dropFirst(tenant.admin.baseURL.count)
    return try await HTTP.get("\(tenant.issuer)/consent?continue=\(HTTP.escape(String(request)))")
  }

  func token(_ form: [(String, String)]) async throws -> Reply { try await party.token(form) }

  func post(_ endpoint: String, _ form: [(String, String)], by client: TestApplication? = nil)
    async throws -> Reply
  {
    try await tenant.post("oauth2/\(endpoint)", form, headers: client.map { [$0.basic] } ?? [])
  }

  /// A token of a client that acts for itself.
  func serviceToken(scope: String) async throws -> String {
    let client = try await tenant.service(scope: scope)
    let reply = try await post("token", [("grant_type", "client_credentials")], by: client)
    return reply.json["access_token"]?.stringValue ?? ""
  }

  func bearer(_ token: String) -> (String, String) { ("authorization", "Bearer \(token)") }

  /// What SQL sees of the organization.
  func schema() throws -> String {
    try sql("select schema_name from control.organization where id = '\(tenant.id)'")
  }

  @discardableResult
  func sql(_ statement: String) throws -> String {
    try TestServices.psql(statement, at: harness.deployment.databaseURL)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

extension TestTenant {
  func service(scope: String = "api:read") async throws -> TestApplication {
    try await application([
      "grant_types": ["client_credentials"], "redirect_uris": [], "scope": .string(scope),
    ])
  }
}
