import Database
import FoundationEssentials
import JOSE
import Platform
import Tenancy
import Web

/// A kind of token (RFC 8693 section 3).
enum TokenType: String, Sendable, CaseIterable {
  case accessToken = "urn:ietf:params:oauth:token-type:access_token"
  case idToken = "urn:ietf:params:oauth:token-type:id_token"
  case jwt = "urn:ietf:params:oauth:token-type:jwt"
}

/// A token of ours that was verified and still counts, as far as an exchange looks at it.
struct SubjectToken: Sendable, Equatable {
  let subject: String
  /// Nil for a client that acts for itself.
  let user: UserID?
  /// The client it was issued to.
  let client: ClientID
  let family: ID<TokenFamily>?
  /// What it is for.
  let audience: [String]
  let scope: OAuthScope
  let expiresAt: Date
  let authentication: AccessToken.Authentication?
  let actor: JSONObject?
  let eligibleActor: JSONObject?
  /// What becomes of a token that is exchanged for it.
  let lineage: TokenLineage
}

/// Reads the tokens an exchange is about (RFC 8693 section 2.1): only our own, and only those that still count.
struct SubjectTokens: Sendable {
  let tokens: AccessTokens
  let keys: SigningKeyRing
  let audiences: TokenAudiences
  let database: Database
  let clock: WallClock

  /// Nil for everything that is no token of this tenant and kind, or no longer one.
  func find(_ text: Secret<String>, _ type: TokenType, in tenant: Tenant) async throws
    -> SubjectToken?
  {
    switch type {
    case .accessToken: return try await accessToken(text, tenant)
    case .idToken: return try await idToken(text, tenant)
    case .jwt:
      if let token = try await accessToken(text, tenant) { return token }
      return try await idToken(text, tenant)
    }
  }

  private func accessToken(_ text: Secret<String>, _ tenant: Tenant) async throws -> SubjectToken? {
    guard let token = try await tokens.verify(text, of: tenant),
      try await tokens.isAlive(token, of: tenant)
    else { return nil }
    return SubjectToken(
      subject: token.subject, user: try await user(of: token, tenant), client: token.clientID,
      family: token.id.family.map { ID($0) }, audience: token.audience, scope: token.scope,
      expiresAt: token.expiresAt, authentication: token.authentication, actor: token.actor,
      eligibleActor: token.eligibleActor,
      lineage: TokenLineage(
        token: token.id.description, client: token.clientID, before: token.lineage))
  }

  /// A pairwise `sub` does not tell who it is, but the grant does.
  private func user(of token: AccessToken, _ tenant: Tenant) async throws -> UserID? {
    if let user = token.user { return user }
    guard let family = token.id.family else { return nil }
    return try await database.first(FindTokenFamily(family: ID(family)), in: tenant.schema)?.user
  }

  /// The same for an ID token, whose session tells.
  private func user(
    _ subject: String, _ client: Client, _ session: ID<Session>?, _ tenant: Tenant
  ) async throws -> UserID? {
    guard client.metadata.subject.type == .pairwise else { return UserID(subject) }
    guard let session,
      let user = try await database.first(FindSessionUser(id: session), in: tenant.schema),
      tenant.subject(of: user, for: client.metadata) == subject
    else { return nil }
    return user
  }

  /// An ID token names no grant: it counts while its user's grant to its client, in its session, does.
  private func idToken(_ text: Secret<String>, _ tenant: Tenant) async throws -> SubjectToken? {
    let keys = try await keys.keys(of: tenant)
    let claims: JWTClaims
    do throws(JOSEError) {
      claims = try JWT.verify(
        text.reveal(), allowing: SignatureAlgorithm.asymmetric,
        expecting: JWTPolicy(
          issuer: tenant.issuer, audiences: [], type: IDToken.type, expiry: .required,
          leewaySeconds: 5),
        now: clock.now()
      ) { header in header.keyID.flatMap(keys.verificationKey) }
    } catch {
      return nil
    }
    let session = claims["sid"]?.stringValue.flatMap { ID<Session>($0) }
    guard let subject = claims.subject, claims.audience.count == 1,
      let id = claims.audience.first.flatMap(ClientID.init), let expiresAt = claims.expiresAt,
      let client = try await tokens.clients.find(id, in: tenant), client.isActive,
      let user = try await user(subject, client, session, tenant)
    else { return nil }
    let find = FindLatestTokenFamily(user: user, client: client.id, session: session)
    guard let family = try await database.first(find, in: tenant.schema), family.isAlive else {
      return nil
    }
    return SubjectToken(
      subject: subject, user: user, client: client.id, family: family.id,
      audience: audiences.audience(of: family.scope, resources: family.resources, in: tenant),
      scope: family.scope, expiresAt: expiresAt,
      authentication: AccessToken.Authentication(
        time: family.authenticatedAt, contextClass: family.acr, methods: family.amr),
      actor: claims["act"]?.objectValue, eligibleActor: claims["may_act"]?.objectValue,
      lineage: TokenLineage(token: nil, client: client.id, before: nil))
  }
}
