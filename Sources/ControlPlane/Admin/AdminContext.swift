import Hummingbird
package import Tenancy
package import Web

/// A request of `/admin/v1` whose access token has been verified.
package struct AdminContext: DerivedContext, ScopedContext {
  package var base: BaseContext
  /// Who asks, by the token.
  package let principal: AdminPrincipal
  /// The tenant that issued the token; its audit trail is the platform's.
  package let system: Tenant

  /// RFC 6750 section 3.1, `insufficient_scope`.
  package func require(scope: String) throws {
    guard principal.scope.contains(scope) else { throw BearerChallenge.insufficientScope(scope) }
  }

  /// Operators are known by their client or subject; their device is not kept.
  var origin: AuditOrigin {
    AuditOrigin(
      actor: .operator(principal.id), requestID: requestID, ipAddress: nil, userAgent: nil)
  }

  var platform: PlatformOperator { PlatformOperator(origin: origin, system: system) }

  /// A path parameter of the mounted operation; what is not there does not exist.
  func parameter(_ name: String) throws -> String {
    guard let value = parameters.get(name) else { throw Problem.notFound() }
    return value
  }
}

/// The bearer of an access token of the `system` tenant.
package struct AdminPrincipal: Sendable, Hashable {
  /// The `sub` of RFC 9068: a user of `system`, or the client itself.
  package let id: String
  package let clientID: String
  package let scope: OAuthScope
}
