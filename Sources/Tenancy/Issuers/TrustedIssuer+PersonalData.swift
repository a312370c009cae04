import Database

extension TrustedIssuer {
  /// Services that vouch for others; about nobody.
  static let personalData = PersonalData(
    table: "trusted_issuer", key: ["id"], subject: nil, erasure: .none,
    columns: [.withheld("id", "issuer", "metadata", "version", "created_at", "updated_at")])
}
