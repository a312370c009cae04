import Tenancy

/// What this module tells the audit trail (design section 6).
extension AuditAction {
  static let signIn = AuditAction("session.sign_in")
  static let authorizationGranted = AuditAction("authorization.granted")
  static let authorizationDenied = AuditAction("authorization.denied")
  static let tokenRevoked = AuditAction("token.revoked")
  static let tokenExchanged = AuditAction("token.exchanged")
  static let assertionAccepted = AuditAction("token.assertion_accepted")
  static let codeReused = AuditAction("token.code_reused")
  static let refreshTokenReused = AuditAction("token.refresh_token_reused")
}
