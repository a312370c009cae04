import Platform

/// Where a sealed value lies.
///
/// Together with the tenant it is the additional data of the seal (design section 4), so that a
/// value copied to another row, column or tenant does not open.
package struct SealedPlace: Hashable, Sendable {
  package let table: String
  package let column: String
  /// The row's id as text.
  package let row: String

  package init(table: String, column: String, row: String) {
    self.table = table
    self.column = column
    self.row = row
  }

  /// `tenure.v1`, tenant, table, column, row, separated by zero bytes: names contain none.
  func additionalData(tenant: TenantID) -> [UInt8] {
    var data: [UInt8] = []
    data.reserveCapacity(64 + table.utf8.count + column.utf8.count + row.utf8.count)
    data.append(contentsOf: "tenure.v1".utf8)
    data.append(0)
    data.append(contentsOf: tenant.bytes)
    for part in [table, column, row] {
      data.append(0)
      data.append(contentsOf: part.utf8)
    }
    return data
  }
}

extension SealedPlace {
  static func userProfile(_ user: UserID) -> SealedPlace {
    SealedPlace(table: "user_account", column: "profile", row: user.description)
  }

  static func subjectKey(_ user: UserID) -> SealedPlace {
    SealedPlace(table: "user_account", column: "subject_key", row: user.description)
  }

  static func auditPersonal(_ event: ID<AuditEvent>) -> SealedPlace {
    SealedPlace(table: "audit_event", column: "personal", row: event.description)
  }

  static func clientSecret(_ client: ClientID) -> SealedPlace {
    SealedPlace(table: "client", column: "secret_sealed", row: client.text)
  }

  static func signingKey(_ kid: String) -> SealedPlace {
    SealedPlace(table: "signing_key", column: "private_key", row: kid)
  }
}
