import FoundationEssentials
import Platform
import Tenancy
import Web

/// One authorization grant: what a user allowed a client, and every token that descends from it.
struct TokenFamily: Sendable, Equatable {
  let id: ID<TokenFamily>
  let user: UserID
  let client: ClientID
  let session: ID<Session>?
  let scope: OAuthScope
  let authenticatedAt: Date
  let acr: String
  let amr: [String]
  /// Claims that were asked for by name.
  var claims = ReleasedClaims()
  /// What tokens may be for; empty if the request named none.
  var resources: [String] = []
  /// The latest generation of refresh tokens that was issued; 0 if the client gets none.
  let generation: Int32
  let rotatedAt: Date?
  let expiresAt: Date
  let revokedAt: Date?
  let isUserActive: Bool
  let isSessionEnded: Bool

  typealias RevocationReason = GrantRevocationReason

  /// Whether tokens of this family mean anything at all.
  var isAlive: Bool {
    revokedAt == nil && isUserActive && (!isSessionEnded || scope.contains("offline_access"))
  }
}

extension TokenFamily {
  /// What presenting a refresh token of this family means.
  enum RefreshDecision: Sendable, Equatable {
    /// The token is the latest: its successor is issued.
    case rotate
    /// The token was rotated a moment ago and its successor has not been used: the same successor again.
    case repeatSuccessor
    case refuse(OAuthError)
    case revokeFamily(OAuthError)
  }

  /// No I/O, so every branch is a row in a unit test; `RotateTokenFamily` says the same in SQL.
  func refreshDecision(generation presented: Int32, client: ClientID, now: Date, graceSeconds: Int)
    -> RefreshDecision
  {
    guard client == self.client else { return .refuse(.invalidGrant("client mismatch")) }
    guard revokedAt == nil else { return .refuse(.invalidGrant("token family revoked")) }
    guard now < expiresAt else { return .refuse(.invalidGrant("refresh token expired")) }
    guard isUserActive else { return .refuse(.invalidGrant("user not active")) }
    guard isAlive else { return .refuse(.invalidGrant("session ended")) }
    guard presented <= generation else {
      return .refuse(.invalidGrant("refresh token of a generation never issued"))
    }
    if presented == generation { return .rotate }
    let isPrevious = presented == generation - 1
    if isPrevious, let rotatedAt, now.timeIntervalSince(rotatedAt) <= Double(graceSeconds) {
      return .repeatSuccessor
    }
    return .revokeFamily(.invalidGrant("refresh token reused"))
  }
}
