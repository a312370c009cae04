package import FoundationEssentials
package import Platform

/// A signed-in browser of one tenant.
package struct Session: Sendable {
  /// What applications know as `sid`.
  package let id: ID<Session>
  package let user: UserID
  package let authenticatedAt: Date
  package let acr: String
  package let amr: [String]
  package let createdAt: Date
  package let expiresAt: Date

  package init(
    id: ID<Session>, user: UserID, authenticatedAt: Date, acr: String, amr: [String],
    createdAt: Date, expiresAt: Date
  ) {
    self.id = id
    self.user = user
    self.authenticatedAt = authenticatedAt
    self.acr = acr
    self.amr = amr
    self.createdAt = createdAt
    self.expiresAt = expiresAt
  }
}

/// A session in a list, with what was recorded about its device.
package struct ListedSession: Sendable {
  package let session: Session
  package let ipAddress: String?
  package let userAgent: String?
}

/// An application that a session has signed in to, and how it wants to learn of its end.
package struct SessionClient: Sendable, Hashable {
  package let session: ID<Session>
  package let user: UserID
  package let client: ClientID
  package let logout: ClientLogout
}

extension SealedPlace {
  package static func sessionPersonal(_ session: ID<Session>) -> SealedPlace {
    SealedPlace(table: "session", column: "personal", row: session.description)
  }
}
