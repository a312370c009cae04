import Database

extension SigningKeys {
  static let personalData = PersonalData(
    table: "signing_key", key: ["id"], subject: nil, erasure: .none,
    columns: [
      .withheld(
        "id", "kid", "algorithm", "state", "public_jwk", "created_at", "activated_at",
        "deactivated_at", "retired_at"),
      .withheld("private_key", reason: .security),
    ])
}
