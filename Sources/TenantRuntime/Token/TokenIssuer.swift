import FoundationEssentials
import JOSE
import Platform
import Tenancy

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
}

/// Makes tokens; nothing it makes is stored.
struct TokenIssuer: Sendable {
  let keys: SigningKeyRing
  let audiences: TokenAudiences
  let clock: WallClock
  let random: RandomSource

  /// Tokens of a grant, with no more than `scope` of it.
  func issue(_ grant: TokenGrant, scope: OAuthScope, client: Client, in tenant: Tenant)
    async throws -> TokenSet
  {
    let now = clock.now()
    let keys = try await keys.keys(of: tenant)
    let access = AccessToken(
      issuer: tenant.issuer, audience: audiences.audience(of: scope, in: tenant),
      subject: grant.user.description, clientID: client.id, scope: scope,
      id: TokenID(family: grant.family.uuid, random: random), issuedAt: now,
      expiresAt: now.addingTimeInterval(Double(tenant.settings.accessTokenLifetimeSeconds)),
      authentication: AccessToken.Authentication(
        time: grant.authenticatedAt, contextClass: grant.acr, methods: grant.amr))
    let accessToken = try access.signed(
      with: keys.current(client.metadata.accessTokenAlgorithm.algorithm))
    let refreshKey = tenant.refreshTokenKey
    return TokenSet(
      accessToken: accessToken, lifetimeSeconds: tenant.settings.accessTokenLifetimeSeconds,
      scope: scope,
      refreshToken: grant.refreshGeneration.map {
        RefreshToken(family: grant.family, generation: $0).text(key: refreshKey)
      },
      idToken: scope.contains(OAuthScope.openID)
        ? try IDToken(grant, accessToken: accessToken, client: client, tenant: tenant, now: now)
          .signed(with: keys.current(client.metadata.idTokenAlgorithm.algorithm))
        : nil)
  }

  /// A token about the subject of another one (RFC 8693); it ends with the grant of that one.
  func exchange(
    _ subject: SubjectToken, by plan: TokenExchange.Plan, client: Client, in tenant: Tenant
  ) async throws -> TokenSet {
    let now = clock.now()
    let keys = try await keys.keys(of: tenant)
    var access = AccessToken(
      issuer: tenant.issuer,
      audience: plan.audience.isEmpty
        ? audiences.audience(of: plan.scope, in: tenant) : plan.audience,
      subject: subject.subject, clientID: client.id, scope: plan.scope,
      id: TokenID(family: subject.family?.uuid, random: random), issuedAt: now,
      expiresAt: plan.expiresAt, authentication: subject.authentication)
    access.actor = plan.actor
    return TokenSet(
      accessToken: try access.signed(
        with: keys.current(client.metadata.accessTokenAlgorithm.algorithm)),
      lifetimeSeconds: max(0, Int(plan.expiresAt.timeIntervalSince(now))), scope: plan.scope)
  }

  /// A token of a client that acts for itself.
  func issueToClient(scope: OAuthScope, client: Client, in tenant: Tenant) async throws -> TokenSet
  {
    let now = clock.now()
    let keys = try await keys.keys(of: tenant)
    let access = AccessToken(
      issuer: tenant.issuer, audience: audiences.audience(of: scope, in: tenant),
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

  func audience(of scope: OAuthScope, in tenant: Tenant) -> [String] {
    guard tenant.isSystem else { return [tenant.issuer] }
    return scope.contains(OAuthScope.openID) ? [tenant.issuer, adminAPI] : [adminAPI]
  }
}
