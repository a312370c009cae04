import Compliance
import FoundationEssentials
import Platform
import Tenancy
import Web

/// Finds out what an authorization decision needs to know.
struct AuthorizationSituations: Sendable {
  let consents: Consents
  let hints: IDTokenHintVerifier
  let clock: WallClock

  func situation(
    of authorization: AuthorizationRequest, _ client: Client, _ session: Session?,
    in tenant: Tenant
  ) async throws -> AuthorizationSituation {
    let now = clock.now()
    var situation = AuthorizationSituation(now: now)
    if let text = authorization.idTokenHint {
      let hint = try await hints.hint(text, of: tenant)
      situation.hinted = hint.map { .user($0.user) } ?? .unusable
    }
    situation.interactionStartedAt =
      authorization.parameters
      .values[InteractionTicket.parameterName]
      .flatMap {
        InteractionTicket($0, for: authorization.parameters, key: tenant.interactionKey, now: now)
      }?.startedAt
    guard let session else { return situation }
    situation.session = (session.user, session.authenticatedAt)
    situation.grantedScope = try await grantedScope(authorization, client, session, tenant)
    return situation
  }

  private func grantedScope(
    _ authorization: AuthorizationRequest, _ client: Client, _ session: Session, _ tenant: Tenant
  ) async throws -> OAuthScope? {
    if client.metadata.isFirstParty, tenant.settings.skipsConsentForFirstParty {
      return authorization.scope
    }
    return try await consents.grantedScope(of: session.user, client: client.id.text, in: tenant)
      .flatMap { OAuthScope(stored: $0) }
  }
}
