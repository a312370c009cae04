import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `POST /oauth2/register` (RFC 7591, OpenID Connect Dynamic Client Registration) and
/// `/oauth2/register/{client_id}` (RFC 7592).
struct RegistrationEndpoint: TenantEndpoint {
  static let path = "oauth2/register"
  static let bytesMax = 64 * 1024

  let registrations: Registrations

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.post("oauth2/register", use: register)
    routes.get("oauth2/register/:client", use: show)
    routes.put("oauth2/register/:client", use: update)
    routes.delete("oauth2/register/:client", use: delete)
  }

  func register(_ request: Request, in context: TenantContext) async throws -> JSONResponse {
    let tenant = context.tenant
    guard
      await registrations.mayTry(context.clientAddress?.subscriber.description ?? "", in: tenant)
    else {
      throw Problem.tooManyRequests(
        retryAfterSeconds: RegistrationSettings.windowSeconds, reason: "registrations")
    }
    let token = try request.headers.bearerToken()
    try await registrations.admit(token, in: tenant)
    let body = try await body(request)
    let issued = try await registrations.register(
      body, token: token, in: tenant, origin: context.origin(request, actor: .anonymous))
    context.note("client", issued.client.id.text)
    return answer(.created, issued, issued.registrationToken, body, tenant)
  }

  func show(_ request: Request, in context: TenantContext) async throws -> JSONResponse {
    let (client, token) = try await managed(request, context)
    return answer(.ok, IssuedClient(client: client, secret: nil), token, nil, context.tenant)
  }

  /// The registration access token of the request is void from here on; the answer has its successor.
  func update(_ request: Request, in context: TenantContext) async throws -> JSONResponse {
    let (client, _) = try await managed(request, context)
    let body = try await body(request)
    try requireOwn(body.members, client)
    let issued = try await registrations.update(
      client, by: body, in: context.tenant,
      origin: context.origin(request, actor: .client(client.id.text)))
    return answer(.ok, issued, issued.registrationToken, body, context.tenant)
  }

  func delete(_ request: Request, in context: TenantContext) async throws -> EmptyResponse {
    let (client, _) = try await managed(request, context)
    try await registrations.clients.delete(
      client.id, expecting: nil, in: context.tenant,
      origin: context.origin(request, actor: .client(client.id.text)))
    return EmptyResponse(headers: [.cacheControl: "no-store"])
  }

  private func managed(_ request: Request, _ context: TenantContext) async throws
    -> (Client, Secret<String>)
  {
    guard let token = try request.headers.bearerToken() else { throw BearerChallenge.missing }
    let client = try await registrations.client(
      context.parameters.get("client") ?? "", token, in: context.tenant)
    return (client, token)
  }

  private func body(_ request: Request) async throws -> RegistrationRequest {
    do {
      return try RegistrationRequest(
        await JSONBody.read(request, limit: Self.bytesMax))
    } catch let problem as Problem where problem.status != .contentTooLarge {
      throw OAuthError.invalidClientMetadata(problem.sentence)
    }
  }

  /// RFC 7592 section 2.2: the request names the client and its secret, and sets nothing that is ours.
  private func requireOwn(_ members: JSONObject, _ client: Client) throws(OAuthError) {
    guard members["client_id"]?.stringValue == client.id.text else {
      throw .invalidClientMetadata("client_id must be the client of the address.")
    }
    if let secret = members["client_secret"] {
      guard let text = secret.stringValue, client.accepts(Secret(text)) else {
        throw .invalidClientMetadata("client_secret can't be chosen.")
      }
    }
    let ours = [
      "registration_access_token", "registration_client_uri", "client_secret_expires_at",
      "client_id_issued_at",
    ]
    if let name = ours.first(where: { members[$0] != nil }) {
      throw .invalidClientMetadata("\(name) must not be sent.")
    }
  }

  /// RFC 7591 section 3.2.1 and RFC 7592 section 3.
  private func answer(
    _ status: HTTPResponse.Status, _ issued: IssuedClient, _ token: Secret<String>?,
    _ body: RegistrationRequest?, _ tenant: Tenant
  ) -> JSONResponse {
    var members = issued.json
    for name in ClientMetadata.administeredNames { members[name] = nil }
    members["software_statement"] = body?.members["software_statement"]
    members["registration_client_uri"] = .string(
      "\(tenant.issuer)/\(Self.path)/\(issued.client.id)")
    members["registration_access_token"] = token.map { .string($0.reveal()) }
    return JSONResponse(
      status, .object(members), headers: [.cacheControl: "no-store"])
  }
}
