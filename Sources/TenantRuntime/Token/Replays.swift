import Cache
import Cryptography
import FoundationEssentials
import JOSE
import Platform
import Tenancy

/// Signed statements that count once: by tenant and signer, under keyed digests.
struct Replays: Sendable {
  let marks: any ReplayGuard
  let clock: WallClock

  /// Whether the `jti` of these claims is new; remembered until they have expired.
  func isFirstUse(_ claims: JWTClaims, signedBy signer: String, in tenant: Tenant) async -> Bool {
    guard let id = claims.id, let expiresAt = claims.expiresAt else { return false }
    let key = tenant.key.macKey(.replay)
    let left = expiresAt.timeIntervalSince(clock.now())
    // As long as the claims could be accepted, by any process's clock.
    let seconds = max(1, Int(left.rounded(.up))) + 60
    return await marks.isFirstUse(
      Base64URL.encode(key.sha256("\(signer)\n\(id)")), seconds: seconds)
  }
}
