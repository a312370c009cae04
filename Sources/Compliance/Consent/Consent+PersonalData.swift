import Database
import Tenancy

extension ConsentPurpose {
  static let personalData = PersonalData(
    table: "consent_purpose", key: ["id"], subject: nil, erasure: .none,
    columns: [
      .withheld(
        "id", "name", "description", "notice_version", "status", "created_at", "updated_at")
    ])
}

extension ConsentNotice {
  static let personalData = PersonalData(
    table: "consent_notice", key: ["purpose_id", "version", "language"], subject: nil,
    references: ["consent_purpose"], erasure: .none,
    columns: [
      .withheld("purpose_id", "version", "language", "body", "sha256", "created_at")
    ])
}

extension ConsentEvent {
  /// What was agreed to stays as a number without a person: it says how often a notice was accepted.
  static let personalData = PersonalData(
    table: "consent_event", key: ["id"], subject: "user_id",
    references: ["user_account", "consent_purpose"],
    erasure: .anonymise([.init("user_id", .null)]),
    export: "consents",
    columns: [
      .init(
        "user_id", .uniqueID, source: .derived, purpose: .accountability,
        basis: .legalObligation, export: .withheld(.derived)),
      .init(
        "purpose_id", .consent, source: .provided, purpose: .accountability,
        basis: .legalObligation),
      .init(
        "client_id", .consent, source: .provided, purpose: .accountability,
        basis: .legalObligation),
      .init(
        "scope", .consent, source: .provided, purpose: .accountability, basis: .legalObligation),
      .init(
        "action", .consent, source: .provided, purpose: .accountability, basis: .legalObligation),
      .technical("id", "notice_version", "language", "method", "occurred_at"),
      .withheld("notice_sha256"),
    ])
}
