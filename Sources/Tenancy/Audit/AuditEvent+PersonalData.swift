import Database

extension AuditEvent {
  /// The trail outlives the person: what names them goes, the event and its number stay (design
  /// section 6).
  static let personalData = PersonalData(
    table: "audit_event", key: ["seq"], subject: "subject_id",
    erasure: .anonymise([
      .init("subject_id", .null), .init("personal", .null), .init("commitment_key", .null),
      .init("actor_id", .nullIfSubject),
    ]),
    export: "activity",
    columns: [
      .init(
        "subject_id", .uniqueID, source: .observed, purpose: .accountability,
        basis: .legalObligation, export: .withheld(.derived)),
      .init(
        "actor_id", .uniqueID, source: .observed, purpose: .accountability,
        basis: .legalObligation, export: .withheld(.derived)),
      .init(
        sealed: "personal", row: "id",
        categories: [.account, .contactEmail, .deviceAgent, .deviceIPAddress],
        source: .observed, purpose: .security, basis: .legitimateInterest),
      .init(
        "action", .behavior, source: .observed, purpose: .accountability, basis: .legalObligation),
      .technical("id", "occurred_at", "outcome", "actor_kind"),
      .withheld("seq", "request_id", "detail", "commitment"),
      .withheld("commitment_key", reason: .security),
    ])

  static let headPersonalData = PersonalData(
    table: "audit_head", key: ["id"], subject: nil, erasure: .none,
    columns: [.withheld("id", "last_seq")])
}
