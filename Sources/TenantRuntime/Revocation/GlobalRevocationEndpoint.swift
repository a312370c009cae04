import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `POST /oauth2/global-token-revocation`: everything of one user ends, at the word of a service that has been
/// trusted with it (draft-parecki-oauth-global-token-revocation).
///
/// The caller bears an access token with the scope `global_token_revocation`, which a client gets by client
/// credentials if an administrator has registered it.
struct GlobalRevocationEndpoint: TenantEndpoint {
  static let path = "oauth2/global-token-revocation"
  static let scope = "global_token_revocation"

  let tokens: AccessTokens
  let users: UserStore
  let revocations: Revocations

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.post("oauth2/global-token-revocation", use: respond)
  }

  func respond(to request: Request, in context: TenantContext) async throws -> EmptyResponse {
    let tenant = context.tenant
    guard let presented = try request.headers.bearerToken() else { throw BearerChallenge.missing }
    guard let token = try await tokens.verify(presented, for: tenant.issuer, of: tenant),
      try await tokens.isAlive(token, of: tenant)
    else { throw BearerChallenge.invalidToken("not a valid token of this organization") }
    // A person's token would let an application act on everybody in that person's name.
    guard token.scope.contains(Self.scope), token.authentication == nil else {
      throw BearerChallenge.insufficientScope(Self.scope)
    }
    let subject = try SubjectIdentifier(await body(request))
    guard let user = try await find(subject, in: tenant), user.status != .erasing else {
      throw Problem.notFound("There is no such user.")
    }
    _ = try await revocations.revokeEverything(
      of: user.id, in: tenant,
      origin: context.origin(request, actor: .client(token.clientID.text)))
    return EmptyResponse(headers: [.cacheControl: "no-store"])
  }

  private func body(_ request: Request) async throws -> JSON {
    do {
      return try await JSONBody.read(request, limit: 16 * 1024)
    } catch let problem as Problem where problem.status == .badRequest {
      throw OAuthError.invalidRequest(problem.sentence)
    }
  }

  private func find(_ subject: SubjectIdentifier, in tenant: Tenant) async throws -> User? {
    switch subject {
    case .issuerSubject(let issuer, let subject):
      guard issuer == tenant.issuer, let id = UserID(subject) else { return nil }
      return try await users.find(id, in: tenant)
    case .opaque(let id):
      guard let id = UserID(id) else { return nil }
      return try await users.find(id, in: tenant)
    case .email(let email): return try await users.find(email: email, in: tenant)
    }
  }
}

/// Whom a request is about (RFC 9493 section 3.2).
enum SubjectIdentifier: Sendable, Equatable {
  case issuerSubject(issuer: String, subject: String)
  case email(String)
  /// Our own `sub`, to those who know whose it is.
  case opaque(String)

  init(_ body: JSON) throws(OAuthError) {
    guard let object = body["sub_id"]?.objectValue, let format = object["format"]?.stringValue
    else { throw .invalidRequest("sub_id must be a subject identifier (RFC 9493).") }
    func member(_ name: String) throws(OAuthError) -> String {
      guard let text = object[name]?.stringValue, (1...2048).contains(text.utf8.count) else {
        throw .invalidRequest("sub_id needs the member \(name).")
      }
      return text
    }
    switch format {
    case "iss_sub":
      self = .issuerSubject(issuer: try member("iss"), subject: try member("sub"))
    case "email": self = .email(try member("email"))
    case "opaque": self = .opaque(try member("id"))
    default:
      throw .invalidRequest("This format of sub_id is not supported.")
    }
  }
}
