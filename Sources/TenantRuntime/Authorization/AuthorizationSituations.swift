import Compliance
import FoundationEssentials
import Platform
import Tenancy
import Web

/// Finds out what an authorization decision needs to know.
struct AuthorizationSituations: Sendable {
  let consents: Consents
  let hints: IDTokenHintVerifier
  let clients: ClientStore
  let clock: WallClock

  func situation(
    of authorization: AuthorizationRequest, _ client: Client, _ session: Session?,
    in tenant: Tenant
  ) async throws -> AuthorizationSituation {
    let now = clock.now()
    var situation = AuthorizationSituation(now: now)
    if let text = authorization.idTokenHint {
      situation.hinted = try await hinted(text, session, tenant)
    }
    situation.interactionStartedAt =
      authorization.parameters
      .values[InteractionTicket.parameterName]
      .flatMap {
        InteractionTicket($0, for: authorization.parameters, key: tenant.interactionKey, now: now)
      }?.startedAt
    guard let session else { return situation }
    situation.user = SignedInUser(
      authenticatedAt: session.authenticatedAt, contextClass: session.acr,
      subject: tenant.subject(of: session.user, for: client.metadata))
    situation.grantedScope = try await grantedScope(authorization, client, session, tenant)
    return situation
  }

  /// The hint may be of another client of the tenant, which knows the user by another name.
  private func hinted(_ text: String, _ session: Session?, _ tenant: Tenant) async throws
    -> HintedSubject
  {
    guard let hint = try await hints.hint(text, of: tenant),
      let client = try await clients.find(hint.clientID, in: tenant)
    else { return .unusable }
    guard let session else { return .somebodyElse }
    return hint.names(session.user, client: client.metadata, in: tenant) ? .present : .somebodyElse
  }

  private func grantedScope(
    _ authorization: AuthorizationRequest, _ client: Client, _ session: Session, _ tenant: Tenant
  ) async throws -> OAuthScope? {
    if client.metadata.isFirstParty, tenant.settings.skipsConsentForFirstParty {
      return authorization.consentScope
    }
    return try await consents.grantedScope(of: session.user, client: client.id.text, in: tenant)
      .flatMap { OAuthScope(stored: $0) }
  }
}
