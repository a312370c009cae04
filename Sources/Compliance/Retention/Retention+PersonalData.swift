import Database
import Tenancy

extension RetentionRule {
  static let personalData = PersonalData(
    table: "retention_rule", key: ["id"], subject: nil, erasure: .none,
    columns: [.withheld("id", "enabled", "keep_days", "updated_at")])
}

extension RetentionRun {
  static let personalData = PersonalData(
    table: "retention_run", key: ["id"], subject: nil, erasure: .none,
    retention: [.init("retention_run.finished", since: ["finished_at"], days: 1095)],
    columns: [
      .withheld("id", "dry_run", "channel", "state", "started_at", "finished_at", "report")
    ])
}
