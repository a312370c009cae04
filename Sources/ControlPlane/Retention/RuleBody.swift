import Compliance
import Platform
import Web

/// A change of a retention rule: what is absent stays.
struct RuleChange: Sendable {
  let enabled: Bool?
  let keepDays: Int?

  /// A hundred years; the CHECK of `retention_rule.keep_days`.
  static let daysMax = 36_500

  /// The body of `PUT …/retention/rules/{rule}`.
  init(_ body: JSON) throws(Problem) {
    var fields = try Fields(body)
    self.init(&fields)
    try fields.finish()
  }

  init(_ fields: inout Fields) {
    enabled = fields.optionalBool("enabled")
    keepDays = fields.optionalInteger("keep_days", in: 0...Self.daysMax)
  }
}

/// The body of `PUT …/retention/rules`: changes of several rules, by name.
struct RuleChanges: Sendable {
  let changes: [(rule: String, change: RuleChange)]

  init(_ body: JSON, known: Set<String>) throws(Problem) {
    var fields = try Fields(body)
    var changes: [(String, RuleChange)] = []
    switch fields.take("rules") {
    case .array(let items)?:
      for (index, item) in items.enumerated() {
        var rule = ""
        guard item.objectValue != nil, var nested = try? Fields(item, prefix: "rules[\(index)].")
        else {
          fields.refuse("rules[\(index)]", "must be an object.")
          continue
        }
        rule = nested.string("rule", length: 1...100)
        if !rule.isEmpty, !known.contains(rule) { nested.refuse("rule", "is not known.") }
        changes.append((rule, RuleChange(&nested)))
        do {
          try nested.finish()
        } catch {
          fields.refuse(error.errors)
        }
      }
    default: fields.refuse("rules", "must be a list of rules.")
    }
    try fields.finish()
    self.changes = changes
  }
}

extension RetentionRule {
  var json: JSONObject {
    [
      "rule": .string(id), "table": .string(table), "action": .string(action),
      "enabled": .bool(isEnabled), "keep_days": .integer(keepDays),
      "updated_at": .string(updatedAt.rfc3339),
    ]
  }

  static let schema = Schema.object([
    .required("rule", .string()), .required("table", .string()),
    .required("action", .string(oneOf: ["delete", "erase_subject"])),
    .required("enabled", .boolean), .required("keep_days", .integer(0...RuleChange.daysMax)),
    .required("updated_at", .time),
  ])
}

extension RetentionRun {
  var json: JSONObject {
    [
      "id": .string(id.description), "dry_run": .bool(isDryRun), "state": .string(state.rawValue),
      "channel": .string(channel.rawValue), "started_at": .string(startedAt.rfc3339),
      "finished_at": .optional(finishedAt?.rfc3339), "rules": .array(counts.map(\.json)),
      "rows": .integer(counts.reduce(0) { $0 + $1.rows }),
    ]
  }

  static let schema = Schema.object([
    .required("id", .id), .required("dry_run", .boolean),
    .required("state", .string(oneOf: ["running", "completed", "failed"])),
    .required("channel", .string()), .required("started_at", .time),
    .required("finished_at", .nullable(.time)),
    .required(
      "rules",
      .array(
        .object([
          .required("rule", .string()), .required("table", .string()),
          .required("rows", .integer()),
        ]))),
    .required("rows", .integer()),
  ])
}
