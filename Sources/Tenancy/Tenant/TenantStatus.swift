import Database

/// The life of an organization (design section 3); the CHECK of `control.organization.status`.
package enum TenantStatus: String, SQLCodable, Sendable, Hashable, CaseIterable {
  case provisioning
  case active
  case readOnly = "read_only"
  case suspended
  case deleting
  case deleted

  /// Whether requests of the tenant's users and applications are answered at all.
  package var isRoutable: Bool {
    switch self {
    case .active, .readOnly, .suspended: true
    case .provisioning, .deleting, .deleted: false
    }
  }

  /// Whether sign-in and tokens work; a suspended tenant answers 503.
  package var isServing: Bool { self == .active || self == .readOnly }
}
