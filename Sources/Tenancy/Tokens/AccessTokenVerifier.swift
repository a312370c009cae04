import Cryptography
import JOSE
package import Platform

/// Verifies access tokens of a tenant: signature, `typ`, issuer, audience, lifetime (RFC 9068 section 4).
///
/// Keys come from the tenant's own ring only, so a token of one tenant is refused by every other. It
/// does not know of revocations: those who can ask the database do.
package struct AccessTokenVerifier: Sendable {
  private let ring: SigningKeyRing
  private let clock: WallClock
  private let verified = BoundedCache<Token, Verified>(
    capacity: verifiedMax, lifetimeSeconds: SharedCache<TenantID, SigningKeys>.lifetimeSeconds)

  /// Tokens whose signatures are remembered; less than two KiB each.
  ///
  /// The signature of the same bytes under the same key is the same answer, and costs half an introspection (decision
  /// record 0006).
  private static let verifiedMax = 4096

  /// The digest, so that no token lies in memory longer than its request.
  private struct Token: Hashable, Sendable {
    let tenant: TenantID
    let digest: SHA256Digest
  }

  private struct Verified: Sendable {
    /// The snapshot that verified it: a rotated or withdrawn key makes another one.
    let keys: SigningKeys
    /// Only the registered ones.
    let claims: JWTClaims
    let token: AccessToken
  }

  /// Everything we sign access tokens with, now and after a rotation of algorithms.
  private static let algorithms: Set<SignatureAlgorithm> = [.rs256, .ps256, .es256, .es384, .edDSA]
  /// Our policy: the issuer and the verifier share a clock.
  private static let leewaySeconds = 5

  package init(ring: SigningKeyRing, clock: WallClock) {
    self.ring = ring
    self.clock = clock
  }

  /// The token, if it is one of the tenant's for the `audience`; nil for the issuer itself, which knows all of
  /// its tokens.
  ///
  /// - Throws: ``JOSEError`` for every token that is not acceptable.
  package func verify(_ token: String, of tenant: Tenant, audience: String?) async throws
    -> AccessToken
  {
    let keys = try await ring.keys(of: tenant)
    let now = clock.now()
    let policy = JWTPolicy(
      issuer: tenant.issuer, audiences: Set([audience].compactMap(\.self)), type: AccessToken.type,
      expiry: .required,
      leewaySeconds: Self.leewaySeconds)
    let name = Token(tenant: tenant.id, digest: SHA256Digest(of: token))
    if let known = verified.value(for: name, now: now), known.keys === keys {
      try policy.check(known.claims, now: now)
      return known.token
    }
    let unverified = try UnverifiedJWS(token)
    guard Self.algorithms.contains(unverified.header.algorithm) else {
      throw JOSEError.algorithmNotAllowed
    }
    guard let key = unverified.header.keyID.flatMap(keys.verificationKey) else {
      throw JOSEError.unknownKey
    }
    let claims = try policy.claims(
      of: try unverified.verified(with: key, allowing: Self.algorithms), now: now)
    let accessToken = try AccessToken(claims)
    verified.store(
      Verified(keys: keys, claims: claims.registered, token: accessToken), for: name, now: now)
    return accessToken
  }
}
