import Database
package import FoundationEssentials
package import Platform
import Tenancy

/// A finished export; its file lies in the archive store.
package struct ExportPackage: Hashable, Sendable {
  /// The id of the request: one request has one package.
  package let id: ID<ExportPackage>
  package let sha256: [UInt8]
  package let sizeBytes: Int
  package let downloadsLeft: Int
  package let createdAt: Date
  package let expiresAt: Date
}

extension ExportPackage {
  init?(joined row: inout RowReader, request: ID<DataRequest>) throws {
    let id: ID<ExportPackage>? = try row.next()
    let sha256: [UInt8]? = try row.next()
    let size: Int? = try row.next()
    let left: Int? = try row.next()
    let created: Date? = try row.next()
    let expires: Date? = try row.next()
    guard let id, let sha256, let size, let left, let created, let expires else { return nil }
    self.init(
      id: id, sha256: sha256, sizeBytes: size, downloadsLeft: left, createdAt: created,
      expiresAt: expires)
  }

  static let personalData = PersonalData(
    table: "export_package", key: ["id"], subject: "user_id",
    references: ["data_request", "user_account"], erasure: .delete,
    retention: [.init(expiredTarget, since: ["expires_at"], days: 0)],
    export: "privacy_requests",
    columns: [
      .init(
        "user_id", .uniqueID, source: .derived, purpose: .privacyRequests,
        basis: .legalObligation, export: .withheld(.derived)),
      .technical("id", "request_id", "size_bytes", "downloads_left", "created_at", "expires_at"),
      .withheld("sha256"),
    ])

  /// The retention target that takes the file along with the row.
  static let expiredTarget = "export_package.expired"
}
