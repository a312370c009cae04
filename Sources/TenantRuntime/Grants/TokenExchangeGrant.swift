import Database
import Platform
import Tenancy
import Web

/// `urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): impersonation and delegation, as far as the
/// client's policy goes.
///
/// The new token ends with the subject's, and belongs to its grant if there is one.
struct TokenExchangeGrant: Grant {
  static let type = ClientGrantType.tokenExchange

  let subjects: SubjectTokens
  let issuer: TokenIssuer
  let database: Database
  let audit: AuditRecorder
  let clock: WallClock

  struct Parameters: FormDecodable {
    static let targetsMax = 10

    let subject: (token: Secret<String>, type: TokenType)
    let actor: (token: Secret<String>, type: TokenType)?
    let issuedType: TokenType
    let targets: [String]
    let scope: OAuthScope?

    init(_ form: Form) throws(OAuthError) {
      subject = (
        Secret(try form.required("subject_token")),
        try Self.type(form.required("subject_token_type"))
      )
      let (token, type) = (
        try form.optional("actor_token"), try form.optional("actor_token_type")
      )
      guard (token == nil) == (type == nil) else {
        throw .invalidRequest("actor_token and actor_token_type belong together.")
      }
      actor = if let token, let type { (Secret(token), try Self.type(type)) } else { nil }
      issuedType =
        if let text = try form.optional("requested_token_type") {
          try Self.type(text)
        } else {
          .accessToken
        }
      guard issuedType != .idToken else {
        throw .invalidRequest("requested_token_type is not supported.")
      }
      targets = try Self.targets(form)
      scope = try ScopePolicy.parsed(form.optional("scope"))
    }

    private static func type(_ text: String) throws(OAuthError) -> TokenType {
      guard let type = TokenType(rawValue: text) else {
        throw .invalidRequest("The token type is not supported.")
      }
      return type
    }

    private static func targets(_ form: Form) throws(OAuthError) -> [String] {
      var targets: [String] = []
      for target in form.all("audience") + form.all("resource")
      where !target.isEmpty && !targets.contains(target) {
        targets.append(target)
      }
      guard targets.count <= targetsMax else { throw .invalidTarget }
      return targets
    }
  }

  func exchange(_ parameters: Parameters, for request: TokenRequest) async throws -> TokenSet {
    let tenant = request.tenant
    guard
      let subject = try await subjects.find(
        parameters.subject.token, parameters.subject.type, in: tenant)
    else { throw TokenExchange.unacceptable("subject_token", "not alive") }
    var actor: SubjectToken?
    if let presented = parameters.actor {
      actor = try await subjects.find(presented.token, presented.type, in: tenant)
      guard actor != nil else { throw TokenExchange.unacceptable("actor_token", "not alive") }
    }
    let plan = try TokenExchange(
      subject: subject, actor: actor, targets: parameters.targets, scope: parameters.scope
    ).plan(
      client: request.client, issuer: tenant.issuer,
      ownAudience: { issuer.audiences.audience(of: $0, resources: [], in: tenant) },
      lifetimeSeconds: tenant.settings.accessTokenLifetimeSeconds, now: clock.now())
    var tokens = try await issuer.exchange(
      subject, by: plan, client: request.client, in: tenant)
    tokens.issuedTokenType = parameters.issuedType.rawValue
    try await record(plan, subject, request)
    return tokens
  }

  /// Applications are named in the open part, people only in the sealed one.
  private func record(_ plan: TokenExchange.Plan, _ subject: SubjectToken, _ request: TokenRequest)
    async throws
  {
    let actors = TokenExchange.actors(plan.actor)
    var person: AuditSubject?
    if let user = subject.user {
      let key = try await database.first(
        FindSubjectKey(user: user), in: request.tenant.schema)
      person = try key.subject(user, request.tenant)
    }
    try await audit.record(
      AuditEvent(
        .tokenExchanged, origin: request.origin, subject: person,
        detail: [
          "client_id": .string(request.client.id.text),
          "subject_client_id": .string(subject.client.text),
          "scope": .string(plan.scope.description), "audience": .strings(plan.audience),
          "actors": .array(actors.map { $0["client_id"] ?? "user" }),
        ],
        personal: ["actors": .array(actors.map { $0["sub"] ?? .null })]),
      tenant: request.tenant)
  }
}
