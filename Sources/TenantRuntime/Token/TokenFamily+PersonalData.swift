import Database
import Tenancy

extension TokenFamily {
  static let personalData = PersonalData(
    table: "token_family", key: ["id"], subject: "user_id",
    references: ["user_account", "client", "session"], erasure: .delete,
    retention: [.init("token_family.expired", since: ["revoked_at", "expires_at"], days: 30)],
    export: "grants",
    columns: [
      .init(
        "user_id", .uniqueID, source: .derived, purpose: .authorization, basis: .contract,
        export: .withheld(.derived)),
      .init(
        "client_id", .behavior, source: .observed, purpose: .authorization, basis: .contract),
      .init("scope", .authorization, source: .provided, purpose: .authorization, basis: .contract),
      .init(
        "auth_time", .behavior, source: .observed, purpose: .authorization, basis: .contract),
      .init("acr", .authorization, source: .observed, purpose: .authorization, basis: .contract),
      .init("amr", .authorization, source: .observed, purpose: .authorization, basis: .contract),
      .init("claims", .authorization, source: .provided, purpose: .authorization, basis: .contract),
      .init(
        "resources", .authorization, source: .provided, purpose: .authorization, basis: .contract),
      .technical("id", "created_at", "expires_at", "revoked_at", "revoked_reason"),
      .withheld("session_id", "generation", "rotated_at"),
    ])

  /// Names tokens by random numbers; nobody can be told from them.
  static let revocationPersonalData = PersonalData(
    table: "token_revocation", key: ["jti"], subject: nil, erasure: .none,
    retention: [.init("token_revocation.expired", since: ["expires_at"], days: 1)],
    columns: [.withheld("jti", "created_at", "expires_at")])
}
