import Platform

/// Who did something; the CHECK of `audit_event.actor_kind`.
package enum Actor: Sendable, Hashable {
  case user(UserID)
  /// An application by its client id.
  case client(String)
  /// Somebody of the platform, by the subject or client of a `system` token.
  case `operator`(String)
  /// The product itself: jobs, retention, provisioning.
  case system
  case anonymous

  package var kind: String {
    switch self {
    case .user: "user"
    case .client: "client"
    case .operator: "operator"
    case .system: "system"
    case .anonymous: "anonymous"
    }
  }

  package var id: String? {
    switch self {
    case .user(let id): id.description
    case .client(let id), .operator(let id): id
    case .system, .anonymous: nil
    }
  }
}

/// Where a change or a sign-in comes from: the same for all events of one request.
package struct AuditOrigin: Sendable, Hashable {
  package let actor: Actor
  package let requestID: String?
  /// The client's address and agent.
  ///
  /// Personal data: kept only sealed, only if the tenant records them, and only when the device can
  /// be the subject's own.
  package let ipAddress: String?
  package let userAgent: String?

  package init(actor: Actor, requestID: String?, ipAddress: String?, userAgent: String?) {
    self.actor = actor
    self.requestID = requestID
    self.ipAddress = ipAddress
    self.userAgent = userAgent
  }

  /// Jobs and commands: no request, no device.
  package static let system = AuditOrigin(
    actor: .system, requestID: nil, ipAddress: nil, userAgent: nil)

  package func with(actor: Actor) -> AuditOrigin {
    AuditOrigin(
      actor: actor, requestID: requestID, ipAddress: ipAddress, userAgent: userAgent)
  }
}
