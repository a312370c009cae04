import Database
import FoundationEssentials
import JOSE
import Outgoing
import Platform
import Tenancy
import Web

/// `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 section 2.1): an assertion of an issuer the tenant
/// trusts, about a user or about the client itself.
struct JWTBearerGrant: Grant {
  static let type = ClientGrantType.jwtBearer
  /// Our policy: assertions are for now, not for later.
  static let lifetimeSecondsMax = 3600
  static let leewaySeconds = 10
  /// How a user got in whom somebody else vouches for.
  static let acr = "urn:tenure:acr:assertion"

  let issuers: TrustedIssuers
  let keySets: RemoteJWKSets
  let replays: Replays
  let users: UserStore
  let database: Database
  let issuer: TokenIssuer
  let audit: AuditRecorder
  let clock: WallClock
  let random: RandomSource

  struct Parameters: FormDecodable {
    let assertion: UnverifiedJWS
    let issuer: String
    let scope: OAuthScope?
    let resources: ResourceIndicators

    init(_ form: Form) throws(OAuthError) {
      let text = try form.required("assertion")
      do throws(JOSEError) {
        assertion = try UnverifiedJWS(text)
      } catch {
        throw .invalidGrant("assertion: \(error)")
      }
      guard let issuer = assertion.claimedIssuer else { throw .invalidGrant("assertion: no iss") }
      self.issuer = issuer
      scope = try ScopePolicy.parsed(form.optional("scope"))
      resources = try ResourceIndicators(form.all("resource"))
    }
  }

  func exchange(_ parameters: Parameters, for request: TokenRequest) async throws -> TokenSet {
    let (tenant, client) = (request.tenant, request.client)
    guard let trusted = try await issuers.find(parameters.issuer, for: .jwtBearer, in: tenant)
    else { throw OAuthError.invalidGrant("assertion: issuer not trusted") }
    guard trusted.metadata.clients.isEmpty || trusted.metadata.clients.contains(client.id.text)
    else { throw OAuthError.invalidGrant("assertion: issuer not trusted for this client") }
    let claims = try await claims(parameters.assertion, of: trusted, tenant)
    let scope = try scope(parameters.scope, trusted.metadata, client)
    try issuer.audiences.require(parameters.resources, for: client, in: tenant)
    // Last, so that a request refused for something else may be repeated.
    guard await replays.isFirstUse(claims, signedBy: "issuer \(trusted.id)", in: tenant) else {
      throw OAuthError.invalidGrant("assertion: jti was used before")
    }
    if trusted.metadata.subject == .client {
      guard claims.subject == client.id.text else {
        throw OAuthError.invalidGrant("assertion: sub is not the client")
      }
      return try await issuer.issueToClient(
        scope: scope, resources: parameters.resources.uris, client: client, in: tenant)
    }
    guard let user = try await user(claims.required("sub"), trusted.metadata.subject, tenant),
      user.status == .active
    else { throw OAuthError.invalidGrant("assertion: no such user") }
    return try await issue(
      to: user, vouchedForBy: trusted, scope, parameters.resources.uris, request)
  }

  /// Section 3.
  private func claims(_ jws: UnverifiedJWS, of trusted: TrustedIssuer, _ tenant: Tenant)
    async throws -> JWTClaims
  {
    let now = clock.now()
    do {
      let verified = try await keySets.verify(
        jws, with: trusted.metadata.keys, partition: tenant.id.description)
      // RFC 8725 section 3.11: tokens of another kind by the same issuer are no assertions.
      guard verified.header.type == nil || verified.header.hasType("JWT") else {
        throw JOSEError.wrongType
      }
      let audiences = ClientAssertion.audiences(of: tenant).union(trusted.metadata.audiences)
      let claims = try JWTPolicy(
        issuer: trusted.issuer, audiences: audiences, type: nil, expiry: .required,
        leewaySeconds: Self.leewaySeconds
      ).claims(of: verified, now: now)
      let latest = now.addingTimeInterval(Double(Self.lifetimeSecondsMax + Self.leewaySeconds))
      guard let expiresAt = claims.expiresAt, expiresAt <= latest else {
        throw JOSEError.invalidClaim("exp")
      }
      guard claims.subject?.isEmpty == false else { throw JOSEError.invalidClaim("sub") }
      guard let id = claims.id, (1...ClientAssertion.idBytesMax).contains(id.utf8.count) else {
        throw JOSEError.invalidClaim("jti")
      }
      return claims
    } catch let error as JOSEError {
      throw OAuthError.invalidGrant("assertion: \(error)")
    } catch let error as RemoteJWKSetError {
      throw OAuthError.invalidGrant("assertion: keys: \(error)")
    } catch let error as OutgoingError {
      throw OAuthError.invalidGrant("assertion: keys: \(error)")
    }
  }

  /// What the client may ask for, and the issuer vouch for; without a user present nothing lives on by itself.
  private func scope(
    _ requested: OAuthScope?, _ trusted: TrustedIssuerMetadata, _ client: Client
  ) throws(OAuthError) -> OAuthScope {
    var most = client.metadata.scope.subtracting(OAuthScope(OAuthScope.offlineAccess) ?? .none)
    if !trusted.scope.isEmpty { most = most.intersection(trusted.scope) }
    guard let requested else { return most }
    guard requested.isSubset(of: most) else { throw .invalidScope }
    return requested
  }

  private func user(_ name: String, _ subject: AssertionSubject, _ tenant: Tenant) async throws
    -> User?
  {
    switch subject {
    case .user:
      guard let id = UserID(name) else { return nil }
      return try await users.find(id, in: tenant)
    case .username: return try await users.find(username: name, in: tenant)
    case .email: return try await users.find(email: name, in: tenant)
    case .client: return nil
    }
  }

  private func issue(
    to user: User, vouchedForBy trusted: TrustedIssuer, _ scope: OAuthScope,
    _ resources: [String], _ request: TokenRequest
  ) async throws -> TokenSet {
    let now = clock.now()
    let grant = TokenGrant(
      family: .generate(clock, random), user: user.id, session: nil, scope: scope,
      authenticatedAt: now, acr: Self.acr, amr: [], nonce: nil, refreshGeneration: nil,
      resources: resources)
    let insert = InsertTokenFamily(
      id: grant.family, user: user.id, client: request.client.id, scope: scope, acr: Self.acr,
      resources: resources, now: now,
      expiresAt: issuer.familyExpiry(from: now, refreshes: false, request.tenant))
    try await database.transaction(in: request.tenant.schema) { tx in
      guard try await tx.run(insert) == 1 else {
        throw OAuthError.invalidGrant("assertion: user no longer active")
      }
      try await audit.record(
        AuditEvent(
          .assertionAccepted, origin: request.origin, subject: user.auditSubject,
          detail: [
            "client_id": .string(request.client.id.text),
            "trusted_issuer_id": .string(trusted.id.description),
            "scope": .string(scope.description),
          ],
          personal: ["grant_id": .string(grant.family.description)]),
        in: tx, tenant: request.tenant)
    }
    return try await issuer.issue(
      grant, scope: scope, client: request.client, in: request.tenant)
  }
}
