package import FoundationEssentials
package import Platform
package import Tenancy
import Web

/// A row of `control.organization`: what the platform knows about a tenant.
package struct Organization: Sendable {
  package let id: TenantID
  package let slug: String
  package let name: String
  package let status: TenantStatus
  package let schemaVersion: Int
  /// Grows with every change; the ETag.
  package let epoch: Int
  package let settings: JSON
  package let createdAt: Date
  package let updatedAt: Date
  package let deletedAt: Date?

  var isSystem: Bool { slug == Tenant.systemSlug }
  var etag: ETag { ETag(version: epoch) }

  /// What events may say about it in public.
  var auditDetail: JSONObject {
    ["organization_id": .string(id.description), "slug": .string(slug)]
  }

  func json(issuer: String) -> JSONObject {
    [
      "id": .string(id.description), "slug": .string(slug), "name": .string(name),
      "status": .string(status.rawValue), "issuer": .string(issuer), "settings": settings,
      "schema_version": .integer(schemaVersion), "created_at": .string(createdAt.rfc3339),
      "updated_at": .string(updatedAt.rfc3339), "deleted_at": .optional(deletedAt?.rfc3339),
    ]
  }

  static let schema = Schema.object([
    .required("id", .id), .required("slug", .string(length: Slug.lengthMin...Slug.lengthMax)),
    .required("name", .string()),
    .required("status", .string(oneOf: TenantStatus.allCases.map(\.rawValue))),
    .required("issuer", .string(format: "uri")), .required("settings", .anyObject),
    .required("schema_version", .integer()), .required("created_at", .time),
    .required("updated_at", .time), .required("deleted_at", .nullable(.time)),
  ])
}

/// What becomes of a request to change an organization's status.
enum StatusChange: Equatable {
  case change(to: TenantStatus)
  /// It has that status already: the same answer, no second event.
  case unchanged
  case refuse(String)
}

extension Organization {
  /// Whether it may be suspended; no I/O, so every branch is a row in a unit test.
  func suspension() -> StatusChange {
    if isSystem {
      return .refuse("The system organization cannot be suspended: nobody could resume it.")
    }
    return switch status {
    case .active, .readOnly: .change(to: .suspended)
    case .suspended: .unchanged
    case .provisioning, .deleting, .deleted: .refuse("The organization is \(status.rawValue).")
    }
  }

  func resumption() -> StatusChange {
    switch status {
    case .suspended, .readOnly: .change(to: .active)
    case .active: .unchanged
    case .provisioning, .deleting, .deleted: .refuse("The organization is \(status.rawValue).")
    }
  }

  func deletion() -> StatusChange {
    if isSystem {
      return .refuse("The system organization cannot be deleted.")
    }
    return switch status {
    case .active, .readOnly, .suspended, .provisioning: .change(to: .deleting)
    case .deleting, .deleted: .unchanged
    }
  }
}
