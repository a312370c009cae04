import FoundationEssentials
import JOSE
import Platform
import Tenancy
import Web

/// A JWT that a client signed to prove who it is (RFC 7523 section 2.2, OpenID Connect Core section 9).
struct ClientAssertion: Sendable {
  static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
  /// Whom it may be for (OpenID Connect Core section 9): the issuer, or the endpoint the client knows best.
  static let endpoints = ["oauth2/token", "oauth2/par"]
  /// Our policy: what a thief of one could use, and how long its `jti` is remembered.
  static let lifetimeSecondsMax = 3600
  static let leewaySeconds = 10
  static let idBytesMax = 256

  let jws: UnverifiedJWS
  let clientID: String

  /// Nil if the request has none.
  init?(_ form: Form) throws(OAuthError) {
    let type = try form.optional("client_assertion_type")
    let text = try form.optional("client_assertion")
    guard type != nil || text != nil else { return nil }
    guard let type, let text else {
      throw .invalidRequest("client_assertion and client_assertion_type belong together.")
    }
    guard type == Self.type else { throw .invalidClient("unknown client_assertion_type") }
    do throws(JOSEError) {
      jws = try UnverifiedJWS(text)
    } catch {
      throw .invalidClient("client_assertion: \(error)")
    }
    // RFC 7523 section 3: `iss` and `sub` are the client, so the form need not name it.
    guard let issuer = jws.claimedIssuer else { throw .invalidClient("client_assertion: no iss") }
    clientID = issuer
  }

  static func audiences(of tenant: Tenant) -> Set<String> {
    Set([tenant.issuer] + endpoints.map { "\(tenant.issuer)/\($0)" })
  }

  /// Claims of a verified assertion that are as they must be.
  static func claims(_ verified: VerifiedJWS, client: ClientID, in tenant: Tenant, now: Date)
    throws(JOSEError) -> JWTClaims
  {
    // RFC 8725 section 3.11: a request object or a proof of the same client is not its assertion.
    if verified.header.type != nil, !verified.header.hasType("JWT"),
      !verified.header.hasType("client-authentication+jwt")
    {
      throw .wrongType
    }
    let policy = JWTPolicy(
      issuer: client.text, audiences: audiences(of: tenant), type: nil, expiry: .required,
      leewaySeconds: leewaySeconds)
    let claims = try policy.claims(of: verified, now: now)
    guard claims.subject == client.text else { throw .invalidClaim("sub") }
    let latest = now.addingTimeInterval(Double(lifetimeSecondsMax + leewaySeconds))
    guard let expiresAt = claims.expiresAt, expiresAt <= latest else { throw .invalidClaim("exp") }
    guard let id = claims.id, (1...idBytesMax).contains(id.utf8.count) else {
      throw .invalidClaim("jti")
    }
    return claims
  }
}
