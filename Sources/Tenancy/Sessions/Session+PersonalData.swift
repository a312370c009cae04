import Database

extension Session {
  static let personalData = PersonalData(
    table: "session", key: ["id"], subject: "user_id", references: ["user_account"],
    erasure: .delete,
    retention: [.init("session.ended", since: ["ended_at", "expires_at"], days: 30)],
    export: "sessions",
    columns: [
      .init(
        "user_id", .uniqueID, source: .derived, purpose: .authentication, basis: .contract,
        export: .withheld(.derived)),
      .init(
        "auth_time", .behavior, source: .observed, purpose: .authentication, basis: .contract),
      .init("acr", .authorization, source: .observed, purpose: .authentication, basis: .contract),
      .init("amr", .authorization, source: .observed, purpose: .authentication, basis: .contract),
      .init(
        sealed: "personal", row: "id", categories: [.deviceIPAddress, .deviceAgent],
        source: .observed, purpose: .security, basis: .legitimateInterest),
      .init(
        "token_hash", .credentials, source: .derived, purpose: .authentication, basis: .contract,
        storage: .digest, export: .withheld(.security)),
      .technical("id", "created_at", "expires_at", "ended_at"),
    ])
}
