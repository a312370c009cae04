import Compliance
import Database
import FoundationEssentials
import Hummingbird
import Platform
import Tenancy
import Web

/// `POST /privacy/consents` and `POST /privacy/applications/withdraw`: one click each.
///
/// Withdrawing is as easy as giving (Art. 7(3) of the GDPR).
struct PrivacyConsentEndpoint: TenantEndpoint {
  let personal: PersonalPage
  let choices: PurposeChoices
  let database: Database
  let clock: WallClock

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.post("privacy/consents", use: decide)
    routes.post("privacy/applications/withdraw", use: withdrawApplication)
  }

  func decide(_ request: Request, in context: TenantContext) async throws -> Response {
    try await personal.submit(.privacy, fresh: false, request, context) { session, form in
      let tenant = context.tenant
      let purpose = try form.required("purpose")
      let version = try form.integer("version", in: 1...1_000_000)
      let isGiven = try Self.isGiven(form)
      let current = try await choices.consents.purpose(purpose, in: tenant)
      guard let current, current.id != ConsentPurpose.application else {
        throw Problem.notFound("There is no such choice.")
      }
      // A text that changed while the page was open is shown again, not agreed to unseen.
      guard !isGiven || version == current.noticeVersion else {
        return Redirect(to: tenant.path("privacy")).response(from: request, context: context)
      }
      try await record(
        ConsentDecision(
          isGiven ? .granted : .withdrawn, .purpose(purpose), language: PurposeChoices.language,
          method: .privacyPage),
        of: session, request, context)
      let notice: PrivacyNotice = isGiven ? .agreed : .withdrawn
      return Redirect(to: notice.location(in: tenant)).response(from: request, context: context)
    }
  }

  func withdrawApplication(_ request: Request, in context: TenantContext) async throws -> Response {
    try await personal.submit(.privacy, fresh: false, request, context) { session, form in
      guard let client = ClientID(try form.required("client_id")) else {
        throw Problem.notFound("There is no such application.")
      }
      let tenant = context.tenant
      let origin = context.origin(request, actor: .user(session.user))
      let now = clock.now()
      try await database.transaction(in: tenant.schema) { tx in
        let consents = choices.consents
        let granted = try await consents.grantedScope(
          of: session.user, client: client.text, in: tx, tenant: tenant)
        // Tokens go even if the consent is gone already: the page promises it.
        try await tx.run(DeleteAuthorizationCodes(user: session.user, client: client))
        try await tx.run(
          RevokeTokenFamiliesOfClient(
            user: session.user, client: client,
            reason: TokenFamily.RevocationReason.consentWithdrawn.rawValue, now: now))
        guard let granted else { return }
        try await consents.record(
          ConsentDecision(
            .withdrawn, .application(client, scope: granted), language: PurposeChoices.language,
            method: .privacyPage),
          of: session.user, in: tx, tenant: tenant, origin: origin)
      }
      return Redirect(to: PrivacyNotice.applicationWithdrawn.location(in: tenant))
        .response(from: request, context: context)
    }
  }

  private static func isGiven(_ form: Form) throws(OAuthError) -> Bool {
    switch try form.required("decision") {
    case "give": return true
    case "withdraw": return false
    default: throw .invalidRequest("decision must be give or withdraw.")
    }
  }

  private func record(
    _ decision: ConsentDecision, of session: Session, _ request: Request, _ context: TenantContext
  ) async throws {
    let origin = context.origin(request, actor: .user(session.user))
    do {
      try await database.transaction(in: context.tenant.schema) { tx in
        try await choices.consents.record(
          decision, of: session.user, in: tx, tenant: context.tenant, origin: origin)
      }
    } catch ConsentError.unknownPurpose {
      throw Problem.notFound("There is no such choice.")
    }
  }
}
