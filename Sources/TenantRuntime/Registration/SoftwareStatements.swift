import FoundationEssentials
import JOSE
import Outgoing
import Platform
import Tenancy
import Web

/// Reads software statements (RFC 7591 section 2.3): metadata that an issuer the tenant trusts has signed.
struct SoftwareStatements: Sendable {
  let issuers: TrustedIssuers
  let keySets: RemoteJWKSets
  let clock: WallClock

  func members(_ statement: JSON, in tenant: Tenant) async throws -> JSONObject {
    guard let text = statement.stringValue, let jws = try? UnverifiedJWS(text),
      let issuer = jws.claimedIssuer
    else { throw Self.invalid("not a signed statement with iss") }
    guard let trusted = try await issuers.find(issuer, for: .softwareStatement, in: tenant) else {
      throw OAuthError(
        .unapprovedSoftwareStatement, "The software statement's issuer is not approved here.")
    }
    do {
      let verified = try await keySets.verify(
        jws, with: trusted.metadata.keys, partition: tenant.id.description)
      return try policy(trusted, verified).claims(of: verified, now: clock.now()).members
    } catch let error as JOSEError {
      throw Self.invalid("\(error)")
    } catch let error as RemoteJWKSetError {
      throw Self.invalid("keys: \(error)")
    } catch let error as OutgoingError {
      throw Self.invalid("keys: \(error)")
    }
  }

  /// A statement is about software, not about now: `exp` counts where it is there.
  private func policy(_ trusted: TrustedIssuer, _ verified: VerifiedJWS) throws(JOSEError)
    -> JWTPolicy
  {
    let expires = try JWTClaims(payload: verified.payload).expiresAt != nil
    return JWTPolicy(
      issuer: trusted.issuer, audiences: [], type: nil,
      expiry: expires ? .required : .waived(reason: "RFC 7591 section 2.3 does not ask for exp"),
      leewaySeconds: 10)
  }

  private static func invalid(_ detail: String) -> OAuthError {
    OAuthError(
      .invalidSoftwareStatement, "The software statement is not valid.", detail: detail)
  }
}
