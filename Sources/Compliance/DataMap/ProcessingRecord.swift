import Database
package import Platform
import Tenancy

/// What the declarations say to people: Article 15 information and the record of processing (Article 30).
package struct ProcessingRecord: Sendable {
  let map: DataMap

  package init(map: DataMap) {
    self.map = map
  }

  /// One processing activity: a purpose on a legal basis, with the categories of data it needs.
  struct Activity: Hashable, Sendable {
    let purpose: Purpose
    let basis: LegalBasis
    var categories: [DataCategory]
    var sources: [DataSource]
    var tables: [String]
  }

  var activities: [Activity] {
    var activities: [Activity] = []
    for declaration in map.declarations {
      for column in declaration.columns where column.isPersonal {
        guard let purpose = column.purpose, let basis = column.basis else { continue }
        let index: Int
        if let known = activities.firstIndex(where: { $0.purpose == purpose && $0.basis == basis })
        {
          index = known
        } else {
          index = activities.count
          activities.append(
            Activity(purpose: purpose, basis: basis, categories: [], sources: [], tables: []))
        }
        activities[index].categories += column.categories.filter {
          !activities[index].categories.contains($0)
        }
        if let source = column.source, !activities[index].sources.contains(source) {
          activities[index].sources.append(source)
        }
        if !activities[index].tables.contains(declaration.table.name) {
          activities[index].tables.append(declaration.table.name)
        }
      }
    }
    return activities.map { activity in
      var activity = activity
      activity.categories.sort()
      return activity
    }
  }

  /// How long what is kept, as the declarations' targets start with.
  var retention: [(target: PersonalData.RetentionTarget, table: String)] {
    map.declarations.flatMap { declaration in
      declaration.retention.map { ($0, declaration.table.name) }
    }
  }

  /// The information of Article 15(1) that does not depend on the person.
  func subjectInformation(_ tenant: Tenant) -> JSON {
    [
      "controller": ["name": .string(tenant.name), "issuer": .string(tenant.issuer)],
      "processing": .array(activities.map(\.json)),
      "recipients": "The applications listed in data/consents.json, as far as consent was given.",
      "retention": .array(retentionJSON),
      "rights": .strings(Self.rights),
      "automated_decisions": "None.",
    ]
  }

  /// The record of processing activities (Article 30(1)).
  package func record() -> JSON {
    [
      "activities": .array(activities.map(\.json)),
      "retention": .array(retentionJSON),
      "security": .strings([
        "Personal data is sealed with AES-256-GCM under a key of the person.",
        "Each organization has a database schema and role of its own.",
        "Every change is in an audit trail.",
      ]),
    ]
  }

  /// The same as a document.
  package func markdown() -> String {
    var lines = ["# Record of processing activities", ""]
    for activity in activities {
      lines += [
        "## \(activity.purpose.sentence)", "",
        "- Legal basis: \(activity.basis.sentence)",
        "- Categories: \(activity.categories.map(\.key).joined(separator: ", "))",
        "- Source: \(activity.sources.map(\.sentence).joined(separator: "; "))",
        "- Tables: \(activity.tables.joined(separator: ", "))", "",
      ]
    }
    lines += ["## Retention", "", "| rule | table | days | on by default |", "|---|---|---|---|"]
    lines += retention.map {
      "| \($0.target.id) | \($0.table) | \($0.target.defaultDays) | \($0.target.enabledByDefault ? "yes" : "no") |"
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var retentionJSON: [JSON] {
    retention.map {
      [
        "rule": .string($0.target.id), "table": .string($0.table),
        "days": .integer($0.target.defaultDays), "enabled": .bool($0.target.enabledByDefault),
      ]
    }
  }

  static let rights = [
    "Access (Art. 15)", "Rectification (Art. 16)", "Erasure (Art. 17)",
    "Restriction of processing (Art. 18)", "Data portability (Art. 20)", "Objection (Art. 21)",
    "Withdrawal of consent at any time (Art. 7(3))",
    "Complaint to a supervisory authority (Art. 77)",
  ]
}

extension ProcessingRecord.Activity {
  var json: JSON {
    [
      "purpose": .string(purpose.rawValue), "description": .string(purpose.sentence),
      "legal_basis": .string(basis.rawValue), "legal_basis_description": .string(basis.sentence),
      "categories": .strings(categories.map(\.key)), "sources": .strings(sources.map(\.rawValue)),
      "tables": .strings(tables),
    ]
  }
}

extension Purpose {
  var sentence: String {
    switch self {
    case .account: "Keeping your account"
    case .authentication: "Signing you in"
    case .authorization: "Letting applications act for you"
    case .security: "Protecting accounts against misuse"
    case .accountability: "Proving what was done and agreed to"
    case .privacyRequests: "Answering privacy requests"
    }
  }
}

extension LegalBasis {
  var sentence: String {
    switch self {
    case .consent: "your consent (Art. 6(1)(a))"
    case .contract: "a contract with you (Art. 6(1)(b))"
    case .legalObligation: "a legal obligation (Art. 6(1)(c))"
    case .legitimateInterest: "a legitimate interest (Art. 6(1)(f))"
    }
  }
}

extension DataSource {
  var sentence: String {
    switch self {
    case .provided: "provided by you or your organization"
    case .observed: "observed while you use the service"
    case .derived: "derived from other data"
    }
  }
}
