import Database

extension User {
  static let personalData = PersonalData(
    table: "user_account", key: ["id"], subject: "id", erasure: .shred,
    retention: [
      .init(
        "user.inactive", since: ["last_sign_in_at", "created_at"], days: 730,
        action: .eraseSubject, enabledByDefault: false)
    ],
    export: "account",
    columns: [
      .init("id", .uniqueID, source: .derived, purpose: .account, basis: .contract),
      .init(
        sealed: "profile", row: "id", categories: Set(Claims.catalogue.map(\.category)).sorted(),
        source: .provided, purpose: .account, basis: .contract),
      .init(
        "username_index", .accountUsername, source: .derived, purpose: .authentication,
        basis: .contract, storage: .blindIndex, export: .withheld(.derived)),
      .init(
        "email_index", .contactEmail, source: .derived, purpose: .authentication,
        basis: .contract, storage: .blindIndex, export: .withheld(.derived)),
      .init(
        "phone_index", .contactPhone, source: .derived, purpose: .authentication,
        basis: .contract, storage: .blindIndex, export: .withheld(.derived)),
      .init(
        "subject_key", .credentials, source: .derived, purpose: .security,
        basis: .legalObligation, storage: .wrappedKey, export: .withheld(.security)),
      .init(
        "last_sign_in_at", .behavior, source: .observed, purpose: .security,
        basis: .legitimateInterest),
      .technical("status", "created_at", "updated_at"),
      .withheld("version"),
    ])

  static let credentialPersonalData = PersonalData(
    table: "credential", key: ["user_id", "kind"], subject: "user_id",
    references: ["user_account"], erasure: .delete, export: "credentials",
    columns: [
      .init(
        "secret", .password, source: .provided, purpose: .authentication, basis: .contract,
        storage: .digest, export: .withheld(.security)),
      .technical("kind", "created_at", "updated_at"),
      .withheld("user_id", reason: .derived),
    ])
}
