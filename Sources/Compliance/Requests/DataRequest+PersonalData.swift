import Database
import Tenancy

extension DataRequest {
  /// The request outlives the person as proof that it was answered; whom it was about goes.
  static let personalData = PersonalData(
    table: "data_request", key: ["id"], subject: "subject_id",
    erasure: .anonymise([.init("subject_id", .null)]),
    retention: [.init("privacy_request.completed", since: ["completed_at"], days: 1095)],
    export: "privacy_requests",
    columns: [
      .init(
        "subject_id", .uniqueID, source: .derived, purpose: .privacyRequests,
        basis: .legalObligation, export: .withheld(.derived)),
      .init(
        "kind", .behavior, source: .provided, purpose: .privacyRequests, basis: .legalObligation),
      .technical(
        "id", "state", "channel", "received_at", "verified_at", "due_at", "completed_at"),
      .withheld("report", "error"),
    ])
}
