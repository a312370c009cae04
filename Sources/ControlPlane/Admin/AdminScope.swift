/// What a token of the `system` tenant allows on `/admin/v1` (our policy).
package enum AdminScope: String, Sendable, CaseIterable {
  case organizationsRead = "organizations:read"
  case organizationsWrite = "organizations:write"
  case usersRead = "users:read"
  case usersWrite = "users:write"
  case clientsRead = "clients:read"
  case clientsWrite = "clients:write"
  case keysRead = "keys:read"
  case keysWrite = "keys:write"
  case privacyRead = "privacy:read"
  case privacyWrite = "privacy:write"
  case auditRead = "audit:read"
  case jobsRead = "jobs:read"
  case jobsWrite = "jobs:write"

  /// Every scope, as the `scope` of the bootstrap client and of discovery.
  package static let all = allCases.map(\.rawValue).joined(separator: " ")
}
