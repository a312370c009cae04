import Database
import Tenancy

extension AuthorizationCode {
  static let personalData = PersonalData(
    table: "one_time_token", key: ["kind", "hash"], subject: "user_id",
    references: ["user_account"], erasure: .delete,
    retention: [.init("one_time_token.expired", since: ["expires_at"], days: 1)],
    columns: [
      .init(
        "user_id", .uniqueID, source: .derived, purpose: .authorization, basis: .contract,
        export: .withheld(.derived)),
      .init(
        "payload", .authorization, source: .observed, purpose: .authorization, basis: .contract,
        export: .withheld(.technical)),
      .withheld("kind", "created_at", "expires_at", "consumed_at"),
      .withheld("hash", reason: .security),
    ])
}
