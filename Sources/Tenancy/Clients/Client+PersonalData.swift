import Database

extension Client {
  /// Applications are about nobody; contacts of people are not part of the metadata.
  static let personalData = PersonalData(
    table: "client", key: ["id"], subject: nil, erasure: .none,
    columns: [
      .withheld(
        "id", "metadata", "status", "version", "created_at", "updated_at",
        "tokens_revoked_at"),
      .withheld("secret_hash", "secret_sealed", "registration_token_hash", reason: .security),
    ])
}
