package import Platform

/// What happened: `user.created`, `session.sign_in`.
///
/// Dotted, lower case, past tense where it reads.
package struct AuditAction: Sendable, Hashable, CustomStringConvertible {
  package let name: String

  package init(_ name: StaticString) {
    self.name = String(describing: name)
  }

  package var description: String { name }

  package static let userCreated = AuditAction("user.created")
  package static let userUpdated = AuditAction("user.updated")
  package static let userStatusChanged = AuditAction("user.status_changed")
  package static let userPasswordSet = AuditAction("user.password_set")
  package static let userErasing = AuditAction("user.erasing")
  package static let clientCreated = AuditAction("client.created")
  package static let clientRegistered = AuditAction("client.registered")
  package static let clientUpdated = AuditAction("client.updated")
  package static let clientSecretRotated = AuditAction("client.secret_rotated")
  package static let clientDeleted = AuditAction("client.deleted")
}

package enum AuditOutcome: String, Sendable, Hashable {
  case success, failure
}

/// Whom an event is about.
///
/// Without the key the event keeps no personal part.
package struct AuditSubject: Sendable {
  package let id: UserID
  package let key: SubjectKey?

  package init(id: UserID, key: SubjectKey?) {
    self.id = id
    self.key = key
  }
}

/// One entry of the audit trail before it is written (design section 6).
package struct AuditEvent: Sendable {
  package let action: AuditAction
  package let outcome: AuditOutcome
  package let origin: AuditOrigin
  package let subject: AuditSubject?
  /// The public part: ids, names of fields, reasons.
  ///
  /// Never personal data: it outlives an erasure.
  package let detail: JSONObject
  /// More for the sealed part, such as values before and after.
  package let personal: JSONObject

  package init(
    _ action: AuditAction, _ outcome: AuditOutcome = .success, origin: AuditOrigin,
    subject: AuditSubject?, detail: JSONObject = [:], personal: JSONObject = [:]
  ) {
    self.action = action
    self.outcome = outcome
    self.origin = origin
    self.subject = subject
    self.detail = detail
    self.personal = personal
  }

  /// What is sealed under the subject key; nil if there is nothing to keep, or nobody to keep it for.
  func personalPart(_ settings: TenantSettings) -> JSONObject? {
    guard let subject, subject.key != nil else { return nil }
    var part = personal
    let isOwnDevice =
      switch origin.actor {
      case .user(let id): id == subject.id
      case .anonymous: true
      case .client, .operator, .system: false
      }
    if isOwnDevice {
      if settings.recordsIPAddress, let address = origin.ipAddress {
        part["ip_address"] = .string(address)
      }
      if settings.recordsUserAgent, let agent = origin.userAgent {
        part["user_agent"] = .string(String(agent.prefix(512)))
      }
    }
    return part.isEmpty ? nil : part
  }
}
