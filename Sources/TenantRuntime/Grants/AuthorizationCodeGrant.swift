import Database
import Platform
import Tenancy
import Web

/// `authorization_code` (OAuth 2.1 section 4.1.3).
struct AuthorizationCodeGrant: Grant {
  static let type = ClientGrantType.authorizationCode

  let database: Database
  let issuer: TokenIssuer
  let audit: AuditRecorder
  let clock: WallClock

  struct Parameters: FormDecodable {
    let hash: [UInt8]?
    let redirectURI: String?
    let challenge: CodeChallenge?
    let resources: ResourceIndicators

    init(_ form: Form) throws(OAuthError) {
      hash = AuthorizationCode.hash(try form.required("code"))
      redirectURI = try form.optional("redirect_uri")
      challenge =
        if let verifier = try form.optional("code_verifier") {
          CodeChallenge(answeredBy: try CodeVerifier(verifier))
        } else { nil }
      resources = try ResourceIndicators(form.all("resource"))
    }
  }

  func exchange(_ parameters: Parameters, for request: TokenRequest) async throws -> TokenSet {
    guard parameters.challenge != nil || request.client.metadata.mayOmitProofKey else {
      throw OAuthError.invalidRequest("code_verifier is required.")
    }
    guard let hash = parameters.hash else { throw OAuthError.invalidGrant("malformed code") }
    try issuer.audiences.require(parameters.resources, for: request.client, in: request.tenant)
    let now = clock.now()
    let refreshes = request.client.allows(.refreshToken)
    let consume = ConsumeAuthorizationCode(
      hash: hash, client: request.client.id, redirectURI: parameters.redirectURI,
      challenge: parameters.challenge?.value, resources: parameters.resources.uris,
      generation: refreshes ? 1 : 0,
      expiresAt: issuer.familyExpiry(from: now, refreshes: refreshes, request.tenant), now: now)
    guard let redeemed = try await database.first(consume, in: request.tenant.schema) else {
      throw try await refusal(hash, parameters, request)
    }
    let grant = redeemed.grant
    return try await issuer.issue(
      TokenGrant(
        family: redeemed.family, user: redeemed.user, session: grant.session, scope: grant.scope,
        authenticatedAt: grant.authenticatedAt, acr: grant.acr, amr: grant.amr,
        nonce: grant.nonce, refreshGeneration: refreshes ? 1 : nil, claims: grant.claims,
        resources: parameters.resources.chosen(from: grant.resources)),
      scope: grant.scope, client: request.client, in: request.tenant)
  }

  /// Why there was nothing to consume; a second use ends what the first one started.
  private func refusal(_ hash: [UInt8], _ parameters: Parameters, _ request: TokenRequest)
    async throws -> OAuthError
  {
    let now = clock.now()
    return try await database.transaction(in: request.tenant.schema) { tx in
      guard let stored = try await tx.first(FindAuthorizationCode(hash: hash)) else {
        return .invalidGrant("unknown code")
      }
      switch stored.refusal(
        client: request.client.id, redirectURI: parameters.redirectURI,
        challenge: parameters.challenge?.value, resources: parameters.resources, now: now)
      {
      case .refuse(let error): return error
      case .revokeFamily(let error):
        // Returned, not thrown: the revocation must commit.
        let revoked = try await tx.run(
          RevokeTokenFamily(
            family: stored.grant.family, reason: TokenFamily.RevocationReason.codeReuse.rawValue,
            now: now))
        if revoked > 0, let user = stored.user {
          let key = try await tx.first(FindSubjectKey(user: user))
          try await audit.record(
            AuditEvent(
              .codeReused, .failure, origin: request.origin,
              subject: try key.subject(user, request.tenant),
              detail: ["client_id": .string(request.client.id.text)],
              personal: ["grant_id": .string(stored.grant.family.description)]),
            in: tx, tenant: request.tenant)
        }
        return error
      }
    }
  }
}
