import JOSE
package import Platform

/// Verifies access tokens of a tenant: signature, `typ`, issuer, audience, lifetime (RFC 9068 section 4).
///
/// Keys come from the tenant's own ring only, so a token of one tenant is refused by every other. It
/// does not know of revocations: those who can ask the database do.
package struct AccessTokenVerifier: Sendable {
  private let ring: SigningKeyRing
  private let clock: WallClock

  /// Everything we sign access tokens with, now and after a rotation of algorithms.
  private static let algorithms: Set<SignatureAlgorithm> = [.rs256, .ps256, .es256, .es384, .edDSA]
  /// Our policy: the issuer and the verifier share a clock.
  private static let leewaySeconds = 5

  package init(ring: SigningKeyRing, clock: WallClock) {
    self.ring = ring
    self.clock = clock
  }

  /// - Parameters:
  ///   - token: What was presented.
  ///   - tenant: Whose it must be.
  ///   - audience: Who asks; nil for the issuer itself, which knows all of its tokens.
  /// - Throws: ``JOSEError`` for every token that is not acceptable.
  package func verify(_ token: String, of tenant: Tenant, audience: String?) async throws
    -> AccessToken
  {
    let unverified = try UnverifiedJWS(token)
    guard Self.algorithms.contains(unverified.header.algorithm) else {
      throw JOSEError.algorithmNotAllowed
    }
    guard let kid = unverified.header.keyID,
      let key = try await ring.keys(of: tenant).verificationKey(kid)
    else { throw JOSEError.unknownKey }
    let verified = try unverified.verified(with: key, allowing: Self.algorithms)
    let policy = JWTPolicy(
      issuer: tenant.issuer, audiences: Set([audience].compactMap(\.self)), type: AccessToken.type,
      expiry: .required,
      leewaySeconds: Self.leewaySeconds)
    return try AccessToken(policy.claims(of: verified, now: clock.now()))
  }
}
