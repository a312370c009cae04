import FoundationEssentials
import Platform
import Tenancy
import Web

/// What an exchange asks for, once its tokens are read (RFC 8693 section 2.1).
struct TokenExchange: Sendable {
  /// Our policy: a chain of more actors, or exchanges, than this is a loop or a mistake.
  static let actorsMax = 5

  let subject: SubjectToken
  let actor: SubjectToken?
  /// What `audience` and `resource` name.
  let targets: [String]
  let scope: OAuthScope?

  /// What the new token will say.
  struct Plan: Sendable, Equatable {
    let audience: [String]
    let scope: OAuthScope
    let actor: JSONObject?
    let expiresAt: Date
  }

  /// No I/O, so every branch is a row in a unit test; `ownAudience` is what a token is for that names no target.
  func plan(
    client: Client, issuer: String, ownAudience: (OAuthScope) -> [String], lifetimeSeconds: Int,
    now: Date
  ) throws(OAuthError) -> Plan {
    guard let policy = client.metadata.tokenExchange else {
      throw .unauthorizedClient("no token_exchange policy")
    }
    guard policy.allows(subjectClient: subject.client) else {
      throw Self.unacceptable("subject_token", "issued to a client that is not allowed")
    }
    // Our policy: a client acts by a token of its own, not by one it came across.
    if let actor, actor.client != client.id {
      throw Self.unacceptable("actor_token", "issued to another client")
    }
    let acting = actor?.subject ?? client.id.text
    guard Self.allows(subject.eligibleActor, acting: acting, issuer: issuer) else {
      throw Self.unacceptable("subject_token", "may_act names another actor")
    }
    guard subject.lineage.tokens.count <= Self.actorsMax else {
      throw Self.unacceptable("subject_token", "exchanged too often")
    }
    guard targets.allSatisfy(policy.audiences.contains) else { throw .invalidTarget }
    let scope = try scope(of: client)
    let audience = targets.isEmpty ? ownAudience(scope) : targets
    // Our policy: what is for others (RFC 8707) opens nothing here, and neither does what it is exchanged for.
    guard !targets.isEmpty || audience.allSatisfy(subject.audience.contains) else {
      throw .invalidTarget
    }
    return Plan(
      audience: audience, scope: scope,
      actor: try chain(acting: acting, policy: policy, client: client.id),
      expiresAt: min(subject.expiresAt, now.addingTimeInterval(Double(lifetimeSeconds))))
  }

  /// Never more than the subject's, nor than the client's own; what lives on by itself is not passed on.
  private func scope(of client: Client) throws(OAuthError) -> OAuthScope {
    let offline = OAuthScope(OAuthScope.offlineAccess) ?? .none
    var most = subject.scope.subtracting(offline)
    if !client.metadata.scope.isEmpty { most = most.intersection(client.metadata.scope) }
    guard let scope else { return most }
    guard scope.isSubset(of: most) else { throw .invalidScope }
    return scope
  }

  /// Section 4.1: the newest actor outside, those before it within.
  private func chain(acting: String, policy: TokenExchangePolicy, client: ClientID)
    throws(OAuthError) -> JSONObject?
  {
    if actor == nil, policy.allowsImpersonation { return subject.actor }
    var act: JSONObject = ["sub": .string(acting)]
    if actor?.user == nil { act["client_id"] = .string(client.text) }
    act["act"] = subject.actor.map(JSON.object)
    guard Self.actors(act).count <= Self.actorsMax else {
      throw Self.unacceptable("subject_token", "too many actors")
    }
    return act
  }

  /// Section 4.4.
  private static func allows(_ eligible: JSONObject?, acting: String, issuer: String) -> Bool {
    guard let eligible else { return true }
    return eligible["sub"]?.stringValue == acting
      && (eligible["iss"]?.stringValue ?? issuer) == issuer
  }

  /// The actors of a token, the newest first.
  static func actors(_ act: JSONObject?) -> [JSONObject] {
    var (actors, next): ([JSONObject], JSONObject?) = ([], act)
    while let actor = next {
      actors.append(actor)
      next = actor["act"]?.objectValue
    }
    return actors
  }

  /// Section 2.2.2: a token that is not acceptable is `invalid_request`.
  static func unacceptable(_ name: String, _ detail: String) -> OAuthError {
    .invalidRequest("The \(name) is invalid or not acceptable.", detail: "\(name): \(detail)")
  }
}
