package import Database
package import HTTPTypes
import JOSE
package import Platform
package import Tenancy
package import Web

/// Lets in whoever bears an access token of the `system` tenant for this interface (RFC 6750, RFC 9068
/// section 4).
package struct AdminAuthentication: Sendable {
  private let database: Database
  private let directory: TenantDirectory
  private let verifier: AccessTokenVerifier
  private let limits: TenantLimits
  private let audience: String

  /// The `aud` of tokens for `/admin/v1`, by the address of the server.
  package static func audience(base: BaseURL) -> String { "\(base.text)/admin/v1" }

  package init(
    database: Database, directory: TenantDirectory, verifier: AccessTokenVerifier,
    limits: TenantLimits, base: BaseURL
  ) {
    self.database = database
    self.directory = directory
    self.verifier = verifier
    self.limits = limits
    audience = Self.audience(base: base)
  }

  /// A scheme without a token is no token, not a malformed one.
  private static func token(in headers: HTTPFields) throws(BearerChallenge) -> Secret<String>? {
    if headers[.authorization]?.lowercased() == "bearer" { return nil }
    return try headers.bearerToken()
  }

  private func charge(_ charge: LimitCharge?, _ base: BaseContext) async throws {
    if let charge { try await base.charge([charge], by: limits.limiter) }
  }

  /// The context of a request, or a challenge.
  ///
  /// It runs before every handler, so that none can be mounted without it.
  package func callAsFunction(_ headers: HTTPFields, _ base: BaseContext) async throws
    -> AdminContext
  {
    guard let text = try Self.token(in: headers) else { throw BearerChallenge.missing }
    guard let system = try await directory.find(slug: Tenant.systemSlug) else {
      throw Problem.unavailable("The platform is not set up yet.", reason: "no system tenant")
    }
    try await charge(limits.charge(.address, base.clientAddress, in: system), base)
    let token: AccessToken
    do {
      token = try await verifier.verify(text.reveal(), of: system, audience: audience)
    } catch let error as JOSEError {
      throw BearerChallenge.invalidToken("\(error)")
    }
    try await charge(limits.charge(.operator, .name(token.clientID.text), in: system), base)
    let check = CheckTokenUsable(
      tokenID: token.id.description, family: token.id.family, client: token.clientID,
      user: token.user, issuedAt: token.issuedAt)
    guard let tokenStatus = try await database.first(check, in: system.schema),
      tokenStatus.isUsable, try await database.isLineageAlive(of: token, in: system)
    else {
      throw BearerChallenge.invalidToken("revoked")
    }
    base.note("client", token.clientID.text)
    return AdminContext(
      base: base,
      principal: AdminPrincipal(
        id: tokenStatus.user?.description ?? token.subject, clientID: token.clientID.text,
        scope: token.scope),
      system: system)
  }
}
