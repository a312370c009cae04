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

  /// A token for `audience`.
  ///
  /// - Throws: ``JOSEError`` for every token that is not acceptable.
  package func verify(_ token: String, of tenant: Tenant, audience: String) async throws
    -> AccessToken
  {
    try await verify(token, of: tenant, audiences: [audience])
  }

  /// A token for whomever: what those need who tell about tokens or end them, and accept none.
  ///
  /// - Throws: ``JOSEError`` for every token that the tenant did not issue or that has expired.
  package func verifyForAnyAudience(_ token: String, of tenant: Tenant) async throws -> AccessToken
  {
    try await verify(token, of: tenant, audiences: [])
  }

  private func verify(_ token: String, of tenant: Tenant, audiences: Set<String>) async throws
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
      issuer: tenant.issuer, audiences: audiences, type: AccessToken.type, expiry: .required,
      leewaySeconds: Self.leewaySeconds)
    return try AccessToken(policy.claims(of: verified, now: clock.now()))
  }
}
