import FoundationEssentials
import JOSE
import Platform
import Tenancy
import Web

/// What a user granted, as far as tokens tell of it.
struct TokenGrant: Sendable {
  let family: ID<TokenFamily>
  let user: UserID
  let session: ID<Session>?
  let scope: OAuthScope
  let authenticatedAt: Date
  let acr: String
  let amr: [String]
  let nonce: String?
  /// Nil if the client gets no refresh tokens.
  let refreshGeneration: Int32?
  /// Claims that were asked for by name.
  var claims = ReleasedClaims()
  /// What the access token is for; empty for the issuer itself.
  var resources: [String] = []
}

/// Makes tokens; nothing it makes is stored.
struct TokenIssuer: Sendable {
  let keys: SigningKeyRing
  let audiences: TokenAudiences
  let users: UserStore
  let clock: WallClock
  let random: RandomSource

  /// Tokens of a grant, with no more than `scope` of it.
  func issue(_ grant: TokenGrant, scope: OAuthScope, client: Client, in tenant: Tenant)
    async throws -> TokenSet
  {
    let now = clock.now()
    let keys = try await keys.keys(of: tenant)
    let access = AccessToken(
      issuer: tenant.issuer,
      audience: audiences.audience(of: scope, resources: grant.resources, in: tenant),
      subject: tenant.subject(of: grant.user, for: client.metadata),
      clientID: client.id, scope: scope,
      id: TokenID(family: grant.family.uuid, random: random), issuedAt: now,
      expiresAt: now.addingTimeInterval(Double(tenant.settings.accessTokenLifetimeSeconds)),
      authentication: AccessToken.Authentication(
        time: grant.authenticatedAt, contextClass: grant.acr, methods: grant.amr))
    let accessToken = try access.signed(
      with: keys.current(client.metadata.accessTokenAlgorithm.algorithm))
    let refreshKey = tenant.refreshTokenKey
    let idToken =
      scope.contains(OAuthScope.openID)
      ? try IDToken(
        grant, accessToken: accessToken, person: try await person(grant, in: tenant),
        client: client, tenant: tenant, now: now
      ).signed(with: keys.current(client.metadata.idTokenAlgorithm.algorithm)) : nil
    return TokenSet(
      accessToken: accessToken, lifetimeSeconds: tenant.settings.accessTokenLifetimeSeconds,
      scope: scope,
      refreshToken: grant.refreshGeneration.map {
        RefreshToken(family: grant.family, generation: $0).text(key: refreshKey)
      },
      idToken: idToken)
  }

  /// The claims the ID token was asked to carry (OpenID Connect Core section 5.5).
  private func person(_ grant: TokenGrant, in tenant: Tenant) async throws -> JSONObject {
    guard !grant.claims.idToken.isEmpty else { return [:] }
    return try await users.find(grant.user, in: tenant)?.released(named: grant.claims.idToken)
      ?? [:]
  }

  /// A token about the subject of another one (RFC 8693); it ends with that one, and with its grant.
  func exchange(
    _ subject: SubjectToken, by plan: TokenExchange.Plan, client: Client, in tenant: Tenant
  ) async throws -> TokenSet {
    let now = clock.now()
    let keys = try await keys.keys(of: tenant)
    var access = AccessToken(
      issuer: tenant.issuer,
      audience: plan.audience,
      // What this client knows the user by, which need not be what the subject's client does.
      subject: subject.user.map { tenant.subject(of: $0, for: client.metadata) }
        ?? subject.subject,
      clientID: client.id, scope: plan.scope,
      id: TokenID(family: subject.family?.uuid, random: random), issuedAt: now,
      expiresAt: plan.expiresAt, authentication: subject.authentication)
    access.actor = plan.actor
    access.lineage = subject.lineage
    return TokenSet(
      accessToken: try access.signed(
        with: keys.current(client.metadata.accessTokenAlgorithm.algorithm)),
      lifetimeSeconds: max(0, Int(plan.expiresAt.timeIntervalSince(now))), scope: plan.scope)
  }

  /// A token of a client that acts for itself.
  func issueToClient(
    scope: OAuthScope, resources: [String], client: Client, in tenant: Tenant
  ) async throws -> TokenSet {
    let now = clock.now()
    let keys = try await keys.keys(of: tenant)
    let access = AccessToken(
      issuer: tenant.issuer,
      audience: audiences.audience(of: scope, resources: resources, in: tenant),
      subject: client.id.text, clientID: client.id, scope: scope,
      id: TokenID(family: nil, random: random), issuedAt: now,
      expiresAt: now.addingTimeInterval(Double(tenant.settings.accessTokenLifetimeSeconds)),
      authentication: nil)
    return TokenSet(
      accessToken: try access.signed(
        with: keys.current(client.metadata.accessTokenAlgorithm.algorithm)),
      lifetimeSeconds: tenant.settings.accessTokenLifetimeSeconds, scope: scope)
  }

  /// A family lives as long as its last refresh token, or as its only access token.
  func familyExpiry(from now: Date, refreshes: Bool, _ tenant: Tenant) -> Date {
    let seconds =
      refreshes
      ? tenant.settings.refreshTokenLifetimeSeconds : tenant.settings.accessTokenLifetimeSeconds
    return now.addingTimeInterval(Double(seconds))
  }
}

/// Whom access tokens are for (RFC 9068 section 3): the issuer's own endpoints, and in the built-in
/// tenant the admin API.
struct TokenAudiences: Sendable {
  let adminAPI: String

  /// The audience of a token; `resources` are what the client asked for and may have (RFC 8707 section 2.2).
  func audience(of scope: OAuthScope, resources: [String], in tenant: Tenant) -> [String] {
    guard resources.isEmpty else { return resources }
    guard tenant.isSystem else { return [tenant.issuer] }
    return scope.contains(OAuthScope.openID) ? [tenant.issuer, adminAPI] : [adminAPI]
  }

  /// Refuses resources that the client may not have tokens for.
  func require(_ resources: ResourceIndicators, for client: Client, in tenant: Tenant)
    throws(OAuthError)
  {
    try resources.require(
      client.metadata, audiences: tenant.isSystem ? [tenant.issuer, adminAPI] : [tenant.issuer])
  }
}
