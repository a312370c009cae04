import HTTPTypes
import Hummingbird
import Platform
import Tenancy
package import Web

/// A request to one organization: the slug of its path was found and is served.
package struct TenantContext: DerivedContext {
  package var base: BaseContext
  let tenant: Tenant
  let limits: TenantLimits

  /// Unknown and deleted organizations are 404, suspended ones 503 (design section 5).
  static func resolve(
    _ request: Request, _ base: BaseContext, _ directory: TenantDirectory, _ limits: TenantLimits
  ) async throws -> TenantContext {
    guard let slug = base.parameters.get("slug"),
      let tenant = try await directory.find(slug: slug), tenant.status.isRoutable
    else { throw Problem.notFound("There is no organization at this address.") }
    let context = TenantContext(base: base, tenant: tenant, limits: limits)
    context.note(tenant: tenant.slug)
    context.brand(tenant.pageOwner)
    guard tenant.status.isServing else { throw unavailable(request) }
    // Published documents come from memory, and whoever verifies tokens must get them.
    if base.endpointPath?.pathSegments.contains(".well-known") != true {
      try await context.charge(
        limits.charge(.address, base.clientAddress, in: tenant),
        limits.charge(.tenant, .all, in: tenant))
    }
    return context
  }

  /// Takes a permit of each limit that applies, or refuses (docs/limits.md).
  func charge(_ charges: LimitCharge?...) async throws {
    try await charge(charges.compactMap { $0 }, by: limits.limiter)
  }

  private static func unavailable(_ request: Request) -> any Error {
    switch ErrorFormat(request) {
    case .oauth: OAuthError.temporarilyUnavailable("organization suspended")
    case .page, .problem:
      Problem.unavailable("This organization is suspended at the moment.", reason: "suspended")
    }
  }
}

/// An endpoint of an organization.
protocol TenantEndpoint: Endpoint where Context == TenantContext {}

extension Tenant {
  var pageOwner: PageOwner { PageOwner(name: name, privacyPath: issuerPath + "/privacy") }

  func path(_ page: String) -> String { "\(issuerPath)/\(page)" }
}

extension Sessions {
  /// The session of the browser that sent the request.
  func current(_ request: Request, in tenant: Tenant) async throws -> Session? {
    try await current(request.cookie(cookie(of: tenant)), in: tenant)
  }

  /// Whether a form has to be asked for again by GET: browsers leave our cookie out of what another site posts, and
  /// bring it with a navigation (SameSite=Lax, RFC 6265bis section 5.6.7.2).
  func comesWithoutCookie(_ request: Request, in tenant: Tenant) -> Bool {
    request.method == .post && request.cookie(cookie(of: tenant)) == nil
  }
}

extension TenantContext {
  /// Where an event of this request comes from.
  func origin(_ request: Request, actor: Actor) -> AuditOrigin {
    AuditOrigin(
      actor: actor, requestID: requestID, ipAddress: clientAddress?.description,
      userAgent: request.headers[.userAgent])
  }
}
