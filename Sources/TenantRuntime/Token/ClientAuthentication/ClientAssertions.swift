import Cryptography
import JOSE
import Outgoing
import Platform
import Tenancy
import Web

/// Verifies client assertions, and sees to it that each is used once.
struct ClientAssertions: Sendable {
  let keySets: RemoteJWKSets
  let ring: SigningKeyRing
  let replays: Replays
  let clock: WallClock

  /// The claims of an assertion that the client has signed for us and lately; nil for every other.
  ///
  /// For a client that does not exist, or authenticates in another way, a signature is checked all the same.
  func claims(_ assertion: ClientAssertion, by client: Client?, in tenant: Tenant) async throws
    -> JWTClaims?
  {
    do {
      guard let client, assertion.fits(client.metadata) else {
        try await checkInVain(assertion.jws, tenant)
        return nil
      }
      let verified = try await verified(assertion.jws, client, tenant)
      return try ClientAssertion.claims(
        verified, client: client.id, in: tenant, now: clock.now())
    } catch is JOSEError {
      return nil
    } catch is RemoteJWKSetError {
      return nil
    } catch is OutgoingError {
      return nil
    }
  }

  /// Refuses an assertion whose `jti` was used before (RFC 7523 section 3).
  func use(_ claims: JWTClaims, of client: Client, in tenant: Tenant) async throws(OAuthError) {
    guard await replays.isFirstUse(claims, signedBy: "client \(client.id)", in: tenant) else {
      throw .invalidClient("client_assertion: jti was used before")
    }
  }

  private func verified(_ jws: UnverifiedJWS, _ client: Client, _ tenant: Tenant) async throws
    -> VerifiedJWS
  {
    if jws.header.algorithm == .hs256 {
      guard let key = try client.secretKey(in: tenant) else { throw JOSEError.unknownKey }
      return try jws.verified(with: key, allowing: [.hs256])
    }
    return try await keySets.verify(
      jws, with: client.metadata.keys, partition: tenant.id.description)
  }

  /// The work of a signature check with a key that is not the client's.
  private func checkInVain(_ jws: UnverifiedJWS, _ tenant: Tenant) async throws {
    let algorithm = jws.header.algorithm
    guard algorithm != .hs256 else {
      let secret = JWK(secret: SecretBytes([UInt8](repeating: 0, count: 32)), keyID: nil)
      _ = try? jws.verified(with: secret, allowing: [.hs256])
      return
    }
    let keys = try await ring.keys(of: tenant)
    guard let kid = try? keys.current(algorithm).keyID, let key = keys.verificationKey(kid) else {
      return
    }
    _ = try? jws.verified(with: key, allowing: [algorithm])
  }
}

extension ClientAssertion {
  /// Whether the client signs in this way: with its secret or its keys, by the algorithm it has registered.
  func fits(_ metadata: ClientMetadata) -> Bool {
    let algorithm = jws.header.algorithm
    let method: ClientAuthenticationMethodName =
      algorithm == .hs256 ? .clientSecretJWT : .privateKeyJWT
    return metadata.authenticationMethod == method
      && (metadata.authenticationAlgorithm ?? algorithm) == algorithm
  }
}
