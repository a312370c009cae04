import Database
import FoundationEssentials
import Platform
import Tenancy
import Web

/// `refresh_token` (OAuth 2.1 section 4.3), rotated by derivation (decision record 0003).
struct RefreshTokenGrant: Grant {
  static let type = ClientGrantType.refreshToken

  let database: Database
  let issuer: TokenIssuer
  let audit: AuditRecorder
  let settings: TokenSettings
  let clock: WallClock

  struct Parameters: FormDecodable {
    let token: Secret<String>
    let scope: OAuthScope?
    let resources: ResourceIndicators

    init(_ form: Form) throws(OAuthError) {
      token = Secret(try form.required("refresh_token"))
      scope = try ScopePolicy.parsed(form.optional("scope"))
      resources = try ResourceIndicators(form.all("resource"))
    }
  }

  func exchange(_ parameters: Parameters, for request: TokenRequest) async throws -> TokenSet {
    guard
      let token = RefreshToken(parameters.token.reveal(), key: request.tenant.refreshTokenKey)
    else { throw OAuthError.invalidGrant("not a refresh token of this organization") }
    try issuer.audiences.require(parameters.resources, for: request.client, in: request.tenant)
    let now = clock.now()
    let rotate = RotateTokenFamily(
      family: token.family, presented: token.generation, client: request.client.id,
      scope: parameters.scope?.tokens ?? [], resources: parameters.resources.uris,
      graceStart: now.addingTimeInterval(-Double(settings.refreshGraceSeconds)), now: now)
    guard let family = try await database.first(rotate, in: request.tenant.schema) else {
      throw try await refusal(token, parameters, request)
    }
    return try await issuer.issue(
      TokenGrant(
        family: family.id, user: family.user, session: family.session, scope: family.scope,
        authenticatedAt: family.authenticatedAt, acr: family.acr, amr: family.amr, nonce: nil,
        refreshGeneration: family.generation, claims: family.claims,
        resources: parameters.resources.chosen(from: family.resources)),
      scope: parameters.scope ?? family.scope, client: request.client, in: request.tenant)
  }

  /// Why nothing was rotated; an old token ends its family.
  private func refusal(_ token: RefreshToken, _ parameters: Parameters, _ request: TokenRequest)
    async throws -> OAuthError
  {
    let now = clock.now()
    return try await database.transaction(in: request.tenant.schema) { tx in
      guard let family = try await tx.first(LockTokenFamily(family: token.family)) else {
        return .invalidGrant("unknown token family")
      }
      switch family.refreshDecision(
        generation: token.generation, client: request.client.id, now: now,
        graceSeconds: settings.refreshGraceSeconds)
      {
      case .rotate, .repeatSuccessor:
        // The statement refuses two things more: a scope and a resource beyond the grant.
        return parameters.scope?.isSubset(of: family.scope) ?? true ? .invalidTarget : .invalidScope
      case .refuse(let error): return error
      case .revokeFamily(let error):
        // Returned, not thrown: the revocation must commit.
        try await tx.run(
          RevokeTokenFamily(
            family: family.id, reason: TokenFamily.RevocationReason.refreshTokenReuse.rawValue,
            now: now))
        let key = try await tx.first(FindSubjectKey(user: family.user))
        try await audit.record(
          AuditEvent(
            .refreshTokenReused, .failure, origin: request.origin,
            subject: try key.subject(family.user, request.tenant),
            detail: [
              "client_id": .string(request.client.id.text),
              "generation": .integer(Int(token.generation)),
            ],
            personal: ["grant_id": .string(family.id.description)]),
          in: tx, tenant: request.tenant)
        return error
      }
    }
  }
}
