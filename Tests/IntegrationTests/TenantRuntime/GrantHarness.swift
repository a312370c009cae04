import Cryptography
import Database
import FoundationEssentials
import HTTPTypes
import JOSE
import Platform
import Tenancy
import Testing
import Web

@testable import TenantRuntime

/// A tenant with a client, a user and a session, and the grants around them, on a clock that tests move.
struct GrantHarness: Sendable {
  let base: TenancyHarness
  let client: Client
  let user: User
  let sessions: Sessions
  let codes: AuthorizationCodes
  let issuer: TokenIssuer
  let settings: TokenSettings

  static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

  var clock: ManualClock { base.clock }
  var tenant: Tenant { base.tenant }
  private var audit: AuditRecorder { base.tenancy.audit }

  static func fresh(
    _ more: JSONObject = [:], logouts: LogoutNotifier = LogoutNotifier { _, _, _ in }
  ) async throws -> GrantHarness {
    let base = try await TenancyHarness.fresh(signingWith: [.es256, .rs256], logouts: logouts)
    let usual: JSONObject = [
      "redirect_uris": ["https://app.example/cb"],
      "grant_types": ["authorization_code", "refresh_token"],
    ]
    let metadata = usual.merging(more)
    let issued = try await base.tenancy.clients.create(
      try ClientMetadata(validating: metadata), in: base.tenant, origin: TenancyHarness.origin)
    var read = SettingsReader.documentation
    let clock = base.clock.clock
    return GrantHarness(
      base: base, client: issued.client, user: try await base.user(["username": "alice"]),
      sessions: Sessions(
        database: base.database, revocations: base.tenancy.revocations,
        server: TenancyHarness.baseURL, clock: clock, random: .system),
      codes: AuthorizationCodes(
        database: base.database, audit: base.tenancy.audit, clock: clock, random: .system),
      issuer: TokenIssuer(
        keys: base.tenancy.keys, audiences: TokenAudiences(adminAPI: "https://id.example/admin/v1"),
        users: base.tenancy.users, clock: clock, random: .system),
      settings: TokenSettings(&read))
  }

  var request: TokenRequest {
    TokenRequest(tenant: tenant, client: client, origin: TenancyHarness.origin)
  }

  /// A new session of the user, by its cookie.
  func signIn(replacing old: Session? = nil) async throws -> (cookie: String, session: Session) {
    let cookies = try await sessions.start(
      for: user, replacing: old, in: tenant, origin: TenancyHarness.origin)
    let name = sessions.cookie(of: tenant).name
    let field = try #require(cookies.map(\.field.value).first { $0.hasPrefix("\(name)=") })
    let value = try #require(field.split(separator: ";").first?.split(separator: "=").last)
    let session = try #require(try await sessions.current(String(value), in: tenant))
    return (String(value), session)
  }

  func code(_ session: Session, scope: String = "openid offline_access") async throws -> String {
    let parameters = AuthorizationParameters([
      "response_type": "code", "client_id": client.id.text, "scope": scope,
      "redirect_uri": client.metadata.redirectURIs.first ?? "",
      "code_challenge": CodeChallenge(answeredBy: try CodeVerifier(Self.verifier)).value,
      "code_challenge_method": "S256",
    ])
    let redirect = try UnverifiedAuthorizationRequest(parameters)
      .verifyRedirect(registered: client.metadata, issuer: tenant.issuer)
    let authorization = try AuthorizationRequest(
      parameters, client: client.metadata, redirect: redirect)
    return try await codes.issue(
      authorization, client, session, in: tenant, origin: TenancyHarness.origin)
  }

  func redeem(_ code: String) async throws -> TokenSet {
    let grant = AuthorizationCodeGrant(
      database: base.database, issuer: issuer, audit: audit, clock: clock.clock)
    let form = "code=\(code)&code_verifier=\(Self.verifier)"
    return try await grant.exchange(try Form(Array(form.utf8)), for: request)
  }

  func refresh(_ token: String?) async throws -> TokenSet {
    let grant = RefreshTokenGrant(
      database: base.database, issuer: issuer, audit: audit, settings: settings,
      clock: clock.clock)
    let form = "refresh_token=\(token ?? "")"
    return try await grant.exchange(try Form(Array(form.utf8)), for: request)
  }

  func expectInvalidGrant(_ detail: String, _ body: () async throws -> TokenSet) async throws {
    do {
      _ = try await body()
      Issue.record("tokens were given out")
    } catch let error as OAuthError {
      #expect(error == .invalidGrant(detail))
    }
  }
}
