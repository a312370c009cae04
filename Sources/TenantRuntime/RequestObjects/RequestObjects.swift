import FoundationEssentials
import JOSE
import Outgoing
import Platform
import Tenancy
import Web

/// Authorization requests that travel as a JWT, by value or by reference (OpenID Connect Core section 6,
/// RFC 9101).
///
/// What comes out has no `request` and no `request_uri`: it is the request as it is meant, and that is
/// what goes through the sign-in pages, so that an object is fetched and verified once.
struct RequestObjects: Sendable {
  /// Our policy: clocks of clients are not ours.
  static let leewaySeconds = 10

  let documents: RequestDocuments
  let keySets: RemoteJWKSets
  let clock: WallClock

  /// The request with what its object says; as it is if it has none.
  func resolve(_ parameters: AuthorizationParameters, _ client: Client, in tenant: Tenant)
    async throws -> AuthorizationParameters
  {
    let text: String
    switch (try parameters.optional("request"), try parameters.optional("request_uri")) {
    case (nil, nil): return parameters
    case (.some, .some):
      throw OAuthError.invalidRequest("request and request_uri must not be used together.")
    case (let value?, nil): text = value
    case (nil, let uri?):
      text = try await documents.document(RequestURI(uri, client: client.metadata), in: tenant)
    }
    do {
      let claims = try await claims(text, client, in: tenant)
      try check(claims, client, issuer: tenant.issuer)
      return try RequestObject(claims).applied(to: parameters)
    } catch let error as JOSEError {
      throw OAuthError.invalidRequestObject("\(error)")
    } catch let error as RemoteJWKSetError {
      throw OAuthError.invalidRequestObject("keys: \(error)")
    } catch let error as OutgoingError {
      throw OAuthError.invalidRequestObject("keys: \(error)")
    }
  }

  /// The claims, if the object is signed, or not, as the client registered it.
  private func claims(_ text: String, _ client: Client, in tenant: Tenant) async throws -> JWTClaims
  {
    let registered = client.metadata.requests.objectAlgorithm
    if registered == RequestObjectAlgorithm.none {
      let object = try UnsignedRequestObject(text, registeredAlgorithm: registered?.rawValue)
      return try JWTClaims(object.parameters)
    }
    let object = try UnverifiedJWS(text)
    let algorithms = registered?.algorithm.map { [$0] } ?? SignatureAlgorithm.asymmetric
    guard algorithms.contains(object.header.algorithm) else { throw JOSEError.algorithmNotAllowed }
    // RFC 9101 section 10.8: a token of another kind is none; many clients leave typ out.
    guard
      object.header.type == nil || object.header.hasType("oauth-authz-req+jwt")
        || object.header.hasType("JWT")
    else { throw JOSEError.wrongType }
    return try JWTClaims(
      payload: await keySets.verify(
        object, with: client.metadata.keys, partition: tenant.id.description
      ).payload)
  }

  /// Section 6.1: `iss` and `aud` may be left out, and must be right where they are there.
  private func check(_ claims: JWTClaims, _ client: Client, issuer: String) throws(JOSEError) {
    // RFC 9101 section 10.8: so that a client assertion is no request object.
    guard claims.subject != client.id.text else { throw .invalidClaim("sub") }
    let policy = JWTPolicy(
      issuer: claims.issuer == nil ? nil : client.id.text,
      audiences: claims["aud"] == nil ? [] : [issuer], type: nil,
      expiry: claims.expiresAt == nil ? .waived(reason: "section 6.1") : .required,
      leewaySeconds: Self.leewaySeconds)
    try policy.check(claims, now: clock.now())
    if claims["client_id"] != nil, try claims.required("client_id") != client.id.text {
      throw .invalidClaim("client_id")
    }
  }
}

extension OAuthError {
  static func invalidRequestObject(_ detail: String) -> OAuthError {
    OAuthError(.invalidRequestObject, "The request object is not acceptable.", detail: detail)
  }
  static func invalidRequestURI(_ detail: String) -> OAuthError {
    OAuthError(.invalidRequestURI, "The request_uri is not acceptable.", detail: detail)
  }
}
