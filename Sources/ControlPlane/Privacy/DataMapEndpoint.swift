import Compliance
import Database
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET /admin/v1/organizations/{id}/privacy/data-map`: what is held about people, why, and what erasure
/// does with it (GDPR article 30), from the declarations; with `Accept: application/yaml` as a Fides dataset.
struct DataMapEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let map: DataMap

  typealias Context = AdminContext

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .get, "organizations/{organization}/privacy/data-map", id: "getDataMap",
        "Show what is held about people and why; as JSON, or as a Fides dataset in YAML.",
        scope: .privacyRead, answers: [.init(.ok, "The data map.", .named("DataMap"))],
        refusals: [.notFound], handle: get)
    ]
  }

  func get(_ request: Request, _ context: AdminContext) async throws -> BytesResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    guard !Self.prefersYAML(request) else {
      let yaml = map.fidesDataset(
        key: "tenure_\(tenant.slug.replacing("-", with: "_"))", name: tenant.name)
      return BytesResponse(contentType: "application/yaml", Array(yaml.utf8))
    }
    let json: JSON = [
      "tables": .array(map.declarations.map(\.dataMapJSON)),
      "record": ProcessingRecord(map: map).record(),
    ]
    return BytesResponse(contentType: "application/json", json.encoded())
  }

  private static func prefersYAML(_ request: Request) -> Bool {
    let accept = request.headers[.accept] ?? ""
    return accept.contains("application/yaml") || accept.contains("application/x-yaml")
      || accept.contains("text/yaml")
  }

  static let schema = Schema.object([
    .required(
      "tables",
      .array(
        .object([
          .required("table", .string()), .required("subject", .nullable(.string())),
          .required("erasure", .string()), .required("export", .nullable(.string())),
          .required("retention", .array(.anyObject)), .required("columns", .array(.anyObject)),
        ]))),
    .required("record", .anyObject),
  ])
}

extension PersonalData {
  /// The declaration as a document.
  var dataMapJSON: JSON {
    [
      "table": .string(table.name), "subject": .optional(subject?.name),
      "erasure": .string(erasure.name), "export": .optional(export),
      "retention": .array(
        retention.map {
          [
            "rule": .string($0.id), "days": .integer($0.defaultDays),
            "since": .strings($0.since.map(\.name)),
            "enabled_by_default": .bool($0.enabledByDefault),
          ]
        }),
      "columns": .array(columns.map(\.dataMapJSON)),
    ]
  }
}

extension PersonalData.Column {
  fileprivate var dataMapJSON: JSON {
    [
      "name": .string(name.name), "personal": .bool(isPersonal),
      "categories": .strings(categories.map(\.key)), "source": .optional(source?.rawValue),
      "purpose": .optional(purpose?.rawValue), "legal_basis": .optional(basis?.rawValue),
      "export": .string(export.name),
    ]
  }
}

extension PersonalData.Erasure {
  fileprivate var name: String {
    switch self {
    case .none: "none"
    case .delete: "delete"
    case .shred: "shred"
    case .anonymise: "anonymise"
    case .retain(let basis, let days): "retain \(days) days (\(basis.rawValue))"
    }
  }
}

extension PersonalData.ExportForm {
  fileprivate var name: String {
    switch self {
    case .value: "value"
    case .opened: "opened"
    case .withheld(let reason): "withheld (\(reason.rawValue))"
    }
  }
}
